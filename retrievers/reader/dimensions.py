"""The sizes of the reader's network."""

DIMENSION = 384
HEADS = 12
LAYERS = 6
LOWER_LAYERS = 3  # the rest makes a file of 11 MB in 16 bits
MARKS = 3
LIKENESS = 5.0  # the weight of cosines beside the numbers of a token's vector
