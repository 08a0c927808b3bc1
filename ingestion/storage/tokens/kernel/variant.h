/* One vector variant of the products. kernel.c includes this file once for each, after it has defined

     NAME(x)                  x with the variant's suffix
     TARGET                   the function attribute that lets the compiler use the instructions
     VEC, LANES               a vector of 32-bit integers, and how many it holds
     DIMS                     dimensions in a 32-bit word: 4 (bytes) or 2 (16-bit integers)
     TILE_ROWS, TILE_PANELS   the largest tile: so many rows times panels accumulators, all in registers
     LOAD STORE SPLAT MAX     of whole vectors; SPLAT repeats one integer
     DOT(sum, row, lanes)     sum + the products of a word's dimensions, for each lane
     LARGER(value, best, number, index)   where value > best: best = value, index = number
     UNIT, UNSIGNED           what a dimension of a row is, and whether it is a biased byte

   "Lanes" are the operand of which a vector holds LANES tokens, interleaved (see `pack`); "rows" are the
   other one, of which a word at a time goes to every lane. */

#define INLINE static inline __attribute__((always_inline)) TARGET

/* Loops written out, over constants: compilers keep an array in registers only where no index is left. */
#define EACH_ROW(row_count, step)                                                                                  \
    if (row_count > 0) { step(0) } if (row_count > 1) { step(1) } if (row_count > 2) { step(2) }                   \
    if (row_count > 3) { step(3) } if (row_count > 4) { step(4) } if (row_count > 5) { step(5) }                   \
    if (row_count > 6) { step(6) } if (row_count > 7) { step(7) }
#define EACH_PANEL(panels, step, row)                                                                              \
    step(row, 0) if (panels > 1) { step(row, 1) } if (panels > 2) { step(row, 2) }

/* sums[row][panel] += rows · lanes, over `words` words. */
INLINE void NAME(tile)(const unsigned char *lanes, const unsigned char *rows, size_t words, const int row_count,
                       const int panels, VEC sums[8][3])
{
    for (size_t word = 0; word < words; word++) {
        VEC lane[3];
#define READ(_, panel) lane[panel] = LOAD(lanes + (panel * words + word) * LANES * 4);
#define ADD(row, panel) sums[row][panel] = DOT(sums[row][panel], repeated, lane[panel]);
#define ADD_ROW(row)                                                                                               \
    int32_t value;                                                                                                 \
    memcpy(&value, rows + (row * words + word) * 4, 4);                                                            \
    VEC repeated = SPLAT(value);                                                                                   \
    EACH_PANEL(panels, ADD, row)
        EACH_PANEL(panels, READ, 0)
        EACH_ROW(row_count, ADD_ROW)
    }
}

INLINE void NAME(tile_best)(const unsigned char *lanes, const unsigned char *rows, size_t words,
                            const int row_count, const int panels, VEC best[3])
{
    VEC sums[8][3];
#define CLEAR(row, panel) sums[row][panel] = SPLAT(0);
#define CLEAR_ROW(row) EACH_PANEL(panels, CLEAR, row)
#define KEEP_BEST(row, panel) best[panel] = MAX(best[panel], sums[row][panel]);
#define KEEP_BEST_ROW(row) EACH_PANEL(panels, KEEP_BEST, row)
    EACH_ROW(row_count, CLEAR_ROW)
    NAME(tile)(lanes, rows, words, row_count, panels, sums);
    EACH_ROW(row_count, KEEP_BEST_ROW)
}

INLINE void NAME(panels_best)(const unsigned char *lanes, const unsigned char *rows, size_t count, size_t words,
                              const int panels, int32_t *best)
{
    VEC running[3];
#define LOAD_BEST(_, panel) running[panel] = LOAD(best + panel * LANES);
#define STORE_BEST(_, panel) STORE(best + panel * LANES, running[panel]);
    EACH_PANEL(panels, LOAD_BEST, 0)
    size_t row = 0;
    for (; row + TILE_ROWS <= count; row += TILE_ROWS)
        NAME(tile_best)(lanes, rows + row * words * 4, words, TILE_ROWS, panels, running);
    rows += row * words * 4;
    switch (count - row) {
#define REST(n) case n: if (n < TILE_ROWS) NAME(tile_best)(lanes, rows, words, n, panels, running); break;
        REST(1) REST(2) REST(3) REST(4) REST(5) REST(6) REST(7)
#undef REST
    }
    EACH_PANEL(panels, STORE_BEST, 0)
}

/* best[lane] = max(best[lane], rows · lane), for `panels` panels of lanes and `count` rows. */
TARGET static void NAME(best)(const unsigned char *lanes, size_t panels, const unsigned char *rows, size_t count,
                              size_t words, int32_t *best)
{
    while (panels > 0) {
        size_t some = panels == 3 && TILE_PANELS >= 3 ? 3 : panels >= 2 ? 2 : 1;
        switch (some) {
#if TILE_PANELS >= 3
        case 3: NAME(panels_best)(lanes, rows, count, words, 3, best); break;
#endif
        case 2: NAME(panels_best)(lanes, rows, count, words, 2, best); break;
        default: NAME(panels_best)(lanes, rows, count, words, 1, best);
        }
        lanes += some * words * LANES * 4;
        best += some * LANES;
        panels -= some;
    }
}

/* The same with the number of the row (the first of them where several are best) and a bias for each row.
   `panels` is a multiple of 2 and `count` of TILE_ROWS; the rows are numbered from `number`. */
TARGET static void NAME(nearest)(const unsigned char *lanes, size_t panels, const unsigned char *rows, size_t count,
                                 size_t words, const int32_t *bias, int32_t number, int32_t *best, int32_t *index)
{
    for (; panels > 0; panels -= 2, lanes += 2 * words * LANES * 4, best += 2 * LANES, index += 2 * LANES) {
        VEC running[2] = {LOAD(best), LOAD(best + LANES)}, at[2] = {LOAD(index), LOAD(index + LANES)};
        for (size_t first = 0; first < count; first += TILE_ROWS) {
            VEC sums[8][3];
#define START_ROW(row) sums[row][0] = sums[row][1] = SPLAT(bias[first + row]);
#define LARGER_ROW(row)                                                                                            \
    VEC this = SPLAT(number + (int32_t)first + row);                                                               \
    LARGER(sums[row][0], running[0], this, at[0]);                                                                 \
    LARGER(sums[row][1], running[1], this, at[1]);
            EACH_ROW(TILE_ROWS, START_ROW)
            NAME(tile)(lanes, rows + first * words * 4, words, TILE_ROWS, 2, sums);
            EACH_ROW(TILE_ROWS, LARGER_ROW)
        }
        STORE(best, running[0]);
        STORE(best + LANES, running[1]);
        STORE(index, at[0]);
        STORE(index + LANES, at[1]);
    }
}

/* What the machine can do at most: sums in registers and nothing else. Returns the number of products. */
TARGET static size_t NAME(spin)(size_t rounds)
{
    VEC sums[8][3], value = SPLAT((int32_t)rounds);
#define SPIN_ROW(row)                                                                                              \
    sums[row][0] = DOT(sums[row][0], value, value);                                                                \
    KEEP(sums[row][0]); KEEP(value);
#define START_SPIN_ROW(row) sums[row][0] = SPLAT(row);
    EACH_ROW(8, START_SPIN_ROW)
    for (size_t round = 0; round < rounds; round++) {
        EACH_ROW(8, SPIN_ROW)
    }
    return rounds * 8 * LANES * DIMS;
}

/* Tokens as rows of `stride` units, of which the last stay as they are. The compiler makes vectors of this. */
TARGET static void NAME(widen8)(const unsigned char *codes, size_t tokens, size_t dims, size_t stride, void *rows)
{
    const unsigned char *RESTRICT from = codes;
    UNIT *RESTRICT to = rows;
    if (dims == stride) {
        dims *= tokens;
        tokens = 1;
    }
    for (size_t token = 0; token < tokens; token++, from += dims, to += stride)
        for (size_t i = 0; i < dims; i++)
            to[i] = (UNIT)(UNSIGNED ? from[i] ^ 128 : (int8_t)from[i]);
}

/* Dimension i is the low half of byte i, dimension half + i the high one. */
TARGET static void NAME(widen4)(const unsigned char *codes, size_t tokens, size_t half, size_t stride, void *rows)
{
    const unsigned char *RESTRICT from = codes;
    UNIT *RESTRICT to = rows;
    for (size_t token = 0; token < tokens; token++, from += half, to += stride)
        for (size_t i = 0; i < half; i++) {
            to[i] = (UNIT)((from[i] & 15) - (UNSIGNED ? 0 : 8));
            to[half + i] = (UNIT)((from[i] >> 4) - (UNSIGNED ? 0 : 8));
        }
}

#undef INLINE
#undef EACH_ROW
#undef EACH_PANEL
#undef READ
#undef ADD
#undef ADD_ROW
#undef CLEAR
#undef CLEAR_ROW
#undef KEEP_BEST
#undef KEEP_BEST_ROW
#undef LOAD_BEST
#undef STORE_BEST
#undef START_ROW
#undef LARGER_ROW
#undef SPIN_ROW
#undef START_SPIN_ROW
