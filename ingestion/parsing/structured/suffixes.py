"""The suffixes of source code; a module of its own, because the table of formats imports no reader."""

import re

# The usual ones, by language.
SOURCE_CODE_SUFFIXES = re.findall(
    r"\S+",
    """.py .pyi .js .mjs .cjs .jsx .ts .tsx .java .kt .kts .scala .groovy .c .h .cc .cpp .cxx .hh .hpp .m .mm
    .cs .fs .vb .go .rs .swift .dart .rb .php .pl .pm .lua .r .jl .f90 .f95 .hs .ml .ex .exs .erl .clj .lisp
    .el .sh .bash .zsh .fish .ps1 .bat .sql .proto .graphql .tf .cmake .gradle .yaml .yml .toml .ini .cfg""",
)
