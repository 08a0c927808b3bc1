/* Products of token codes without a product matrix. No Python in here. */

#ifndef PRODUCTS_H
#define PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

/* Beyond this, 255 · 128 · dims and a bias of 2^30 might not fit in 32 bits together. */
#define MOST_DIMS 16384
#define MOST_BIAS (1 << 30)

/* How one set of instructions computes.

   A 32-bit word holds `dims` dimensions of a token: 4 bytes, or 2 16-bit integers. Tokens are either lanes
   (as signed numbers, interleaved by `pack`: lane 0's first word, lane 1's first word, …) or rows (word by
   word, as signed 16-bit integers, or as unsigned bytes: 128 + an int8 code, or 8 + a 4-bit one). */
struct variant {
    const char *name;
    int (*runs)(void);
    size_t lanes, dims, tile_rows;
    int biased; /* whether rows are unsigned bytes */
    void (*widen8)(const unsigned char *codes, size_t tokens, size_t dims, size_t stride, void *rows);
    void (*widen4)(const unsigned char *codes, size_t tokens, size_t half, size_t stride, void *rows);
    void (*best)(const unsigned char *lanes, size_t panels, const unsigned char *rows, size_t count, size_t words,
                 int32_t *best);
    void (*nearest)(const unsigned char *lanes, size_t panels, const unsigned char *rows, size_t count,
                    size_t words, const int32_t *bias, int32_t number, int32_t *best, int32_t *index);
    size_t (*spin)(size_t rounds);
};

/* The variants that were compiled, the fastest first, and NULL; `runs` says whether this processor has it. */
extern const struct variant *const variants[];

enum outcome { DONE, NO_MEMORY, BAD_ROW, BAD_OFFSETS };

struct query {
    const int8_t *codes; /* [tokens, dims] */
    const char *steps;   /* [tokens] float32, aligned or not */
    size_t tokens;
};

struct passages {
    const unsigned char *codes; /* [tokens, dims] int8, or [tokens, dims / 2] of 4 bits */
    size_t tokens;
    int bits;            /* 8 or 4 */
    const char *offsets; /* [count + 1] int64, aligned or not */
    size_t count;
    const char *rows; /* [wanted] int64 passages, or NULL: passages 0 … wanted - 1 */
    size_t wanted;
};

/* scores[i] = Σ over query tokens of step · the best dot product with a token of passage i.
   `where` is the position of a bad row or the passage with bad offsets. */
enum outcome maxsim(const struct variant *variant, size_t dims, const struct query *query,
                    const struct passages *passages, char *scores, size_t *where);

/* index[i] = the first j with the largest tokens[i] · centroids[j] + bias[j]; there is a centroid. */
enum outcome nearest(const struct variant *variant, size_t dims, const int8_t *tokens, size_t count,
                     const int8_t *centroids, size_t centroid_count, const int32_t *bias, int32_t *index);

#endif
