#include "products.h"

#include <stdlib.h>
#include <string.h>

#ifdef _MSC_VER
#define RESTRICT __restrict
#else
#define RESTRICT restrict
#endif

#if defined(__x86_64__) && (defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 9))
#define VECTORS 1
#include <cpuid.h>
#include <immintrin.h>
#define PREFETCH(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
/* Not __m512i and __m256i: gcc takes those for vectors of 64-bit integers and copies sums to and fro. */
typedef int32_t ints16 __attribute__((vector_size(64)));
typedef int32_t ints8 __attribute__((vector_size(32)));
/* Keeps the compiler from leaving out what nobody reads. */
#define KEEP(vector) __asm__ volatile("" : "+v"(vector))
#elif defined(__GNUC__) || defined(__clang__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)0)
#endif

/* avx512-vnni: 64 products of bytes in an instruction. */
#ifdef VECTORS
#define NAME(x) avx512_##x
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define VEC ints16
#define LANES 16
#define DIMS 4
#define TILE_ROWS 8
#define TILE_PANELS 3
#define LOAD(address) (ints16) _mm512_loadu_si512(address)
#define STORE(address, vector) _mm512_storeu_si512(address, (__m512i)(vector))
#define SPLAT(value) (ints16) _mm512_set1_epi32(value)
#define MAX(a, b) (ints16) _mm512_max_epi32((__m512i)(a), (__m512i)(b))
#define DOT(sum, row, lanes) (ints16) _mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(row), (__m512i)(lanes))
#define LARGER(value, best, number, index)                                                                         \
    do {                                                                                                           \
        __mmask16 larger = _mm512_cmpgt_epi32_mask((__m512i)(value), (__m512i)(best));                             \
        best = MAX(best, value);                                                                                   \
        index = (ints16)_mm512_mask_mov_epi32((__m512i)(index), larger, (__m512i)(number));                        \
    } while (0)
#define UNIT uint8_t
#define UNSIGNED 1
#include "variant.h"
#undef NAME
#undef TARGET
#undef VEC
#undef LANES
#undef TILE_ROWS
#undef TILE_PANELS
#undef LOAD
#undef STORE
#undef SPLAT
#undef MAX
#undef DOT
#undef LARGER

static int avx512_runs(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

static const struct variant avx512 = {"avx512-vnni",  avx512_runs,   16,          4,              8,          1,
                                      avx512_widen8, avx512_widen4, avx512_best, avx512_nearest, avx512_spin};

/* What the two variants of 256 bits share. */
#define VEC ints8
#define LANES 8
#define TILE_ROWS 4
#define TILE_PANELS 2
#define LOAD(address) (ints8) _mm256_loadu_si256((const __m256i *)(address))
#define STORE(address, vector) _mm256_storeu_si256((__m256i *)(address), (__m256i)(vector))
#define SPLAT(value) (ints8) _mm256_set1_epi32(value)
#define MAX(a, b) (ints8) _mm256_max_epi32((__m256i)(a), (__m256i)(b))
#define LARGER(value, best, number, index)                                                                         \
    do {                                                                                                           \
        __m256i larger = _mm256_cmpgt_epi32((__m256i)(value), (__m256i)(best));                                    \
        best = MAX(best, value);                                                                                   \
        index = (ints8)_mm256_blendv_epi8((__m256i)(index), (__m256i)(number), larger);                            \
    } while (0)

/* avx-vnni: the same instruction at half the width, on processors without AVX-512. */
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11
#define AVX_VNNI 1
#define NAME(x) avx_vnni_##x
#define TARGET __attribute__((target("avx2,avxvnni")))
#define DOT(sum, row, lanes) (ints8) _mm256_dpbusd_avx_epi32((__m256i)(sum), (__m256i)(row), (__m256i)(lanes))
#include "variant.h"
#undef NAME
#undef TARGET
#undef DOT

static int avx_vnni_runs(void)
{
    unsigned int a, b, c, d;
    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

static const struct variant avx_vnni = {"avx-vnni",      avx_vnni_runs,   8,             4,
                                        4,               1,               avx_vnni_widen8, avx_vnni_widen4,
                                        avx_vnni_best, avx_vnni_nearest, avx_vnni_spin};
#endif

/* avx2: 16 products of 16-bit integers in an instruction; one of bytes would saturate. */
#undef DIMS
#undef UNIT
#undef UNSIGNED
#define NAME(x) avx2_##x
#define TARGET __attribute__((target("avx2")))
#define DIMS 2
#define DOT(sum, row, lanes)                                                                                       \
    (ints8) _mm256_add_epi32((__m256i)(sum), _mm256_madd_epi16((__m256i)(row), (__m256i)(lanes)))
#define UNIT int16_t
#define UNSIGNED 0
#include "variant.h"
#undef NAME
#undef TARGET
#undef LANES

static int avx2_runs(void)
{
    return __builtin_cpu_supports("avx2");
}

static const struct variant avx2 = {"avx2",      avx2_runs,   8,         2,            4,        0,
                                    avx2_widen8, avx2_widen4, avx2_best, avx2_nearest, avx2_spin};
#endif

/* portable: one lane at a time, 16-bit integers, in loops that compilers make vectors of. */

/* A lane's products with four rows: what is read of the lane is read once. */
static void portable_dots(const unsigned char *lane, const unsigned char *rows, size_t words, int32_t sums[4])
{
    const int16_t *a = (const void *)lane, *b = (const void *)rows, *c = b + words * 2, *d = c + words * 2;
    const int16_t *e = d + words * 2;
    int32_t first = 0, second = 0, third = 0, fourth = 0;
    for (size_t i = 0; i < words * 2; i++) {
        first += (int32_t)a[i] * b[i];
        second += (int32_t)a[i] * c[i];
        third += (int32_t)a[i] * d[i];
        fourth += (int32_t)a[i] * e[i];
    }
    sums[0] = first;
    sums[1] = second;
    sums[2] = third;
    sums[3] = fourth;
}

static void portable_best(const unsigned char *lanes, size_t panels, const unsigned char *rows, size_t count,
                          size_t words, int32_t *best)
{
    for (size_t lane = 0; lane < panels; lane++)
        for (size_t row = 0; row < count; row += 4) {
            int32_t sums[4];
            portable_dots(lanes + lane * words * 4, rows + row * words * 4, words, sums);
            for (size_t i = 0; i < 4 && row + i < count; i++)
                if (sums[i] > best[lane])
                    best[lane] = sums[i];
        }
}

static void portable_nearest(const unsigned char *lanes, size_t panels, const unsigned char *rows, size_t count,
                             size_t words, const int32_t *bias, int32_t number, int32_t *best, int32_t *index)
{
    for (size_t lane = 0; lane < panels; lane++)
        for (size_t row = 0; row < count; row += 4) {
            int32_t sums[4];
            portable_dots(lanes + lane * words * 4, rows + row * words * 4, words, sums);
            for (size_t i = 0; i < 4; i++)
                if (sums[i] + bias[row + i] > best[lane]) {
                    best[lane] = sums[i] + bias[row + i];
                    index[lane] = number + (int32_t)(row + i);
                }
        }
}

static void portable_widen8(const unsigned char *codes, size_t tokens, size_t dims, size_t stride, void *rows)
{
    int16_t *to = rows;
    for (size_t token = 0; token < tokens; token++, codes += dims, to += stride)
        for (size_t i = 0; i < dims; i++)
            to[i] = (int8_t)codes[i];
}

static void portable_widen4(const unsigned char *codes, size_t tokens, size_t half, size_t stride, void *rows)
{
    int16_t *to = rows;
    for (size_t token = 0; token < tokens; token++, codes += half, to += stride)
        for (size_t i = 0; i < half; i++) {
            to[i] = (int16_t)((codes[i] & 15) - 8);
            to[half + i] = (int16_t)((codes[i] >> 4) - 8);
        }
}

static size_t portable_spin(size_t rounds)
{
    static const int16_t some[5 * 128] = {1, 2, 3};
    const int16_t *volatile again = some;
    int32_t sums[4];
    volatile int32_t kept = 0;
    for (size_t round = 0; round < rounds; round++)
        portable_dots((const void *)again, (const void *)(again + 128), 64, sums), kept = sums[0];
    (void)kept;
    return rounds * 4 * 128;
}

static int portable_runs(void)
{
    return 1;
}

static const struct variant portable = {"portable",      portable_runs,   1,
                                        2,               4,               0,
                                        portable_widen8, portable_widen4, portable_best,
                                        portable_nearest, portable_spin};

const struct variant *const variants[] = {
#ifdef VECTORS
    &avx512,
#ifdef AVX_VNNI
    &avx_vnni,
#endif
    &avx2,
#endif
    &portable, NULL};

/* Memory. */

/* What is unpacked at a time, and meanwhile fetched of what comes next: more would wait for a free line-fill
   buffer of the processor (16 tokens of 128 dimensions: 3.5 ms for 1,000 passages, 64 tokens: 4.4 ms). */
#define BLOCK_BYTES 2048
/* Centroids, unpacked before, that take turns with tokens: a fourth of a first-level cache of 32 KiB. */
#define CENTROID_BLOCK_BYTES 8192
#define ALIGNMENT 64

static size_t rounded_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

struct memory {
    void *whole;
    void *aligned;
};

static int allocate(struct memory *memory, size_t items, size_t bytes)
{
    memory->whole = items > (SIZE_MAX - ALIGNMENT) / bytes ? NULL : calloc(1, items * bytes + ALIGNMENT);
    memory->aligned = (void *)rounded_up((size_t)(uintptr_t)memory->whole, ALIGNMENT);
    return memory->whole != NULL;
}

static size_t rows_in_block(const struct variant *variant, size_t words, size_t bytes)
{
    size_t rows = bytes / (words * 4) / variant->tile_rows;
    return (rows ? rows : 1) * variant->tile_rows;
}

/* A word of a token as a lane, of `dims` dimensions; those after the first `some` are zero. */
static void put_word(const int8_t *token, size_t some, size_t dims, unsigned char *to)
{
    if (dims == 4) {
        int8_t bytes[4] = {0};
        memcpy(bytes, token, some);
        memcpy(to, bytes, 4);
    } else {
        int16_t pair[2] = {token[0], some > 1 ? token[1] : 0};
        memcpy(to, pair, 4);
    }
}

/* Interleave tokens as lanes; those that there are not are zero. */
static void pack(const struct variant *variant, const int8_t *tokens, size_t count, size_t dims, size_t panels,
                 unsigned char *lanes)
{
    size_t whole = dims / variant->dims, rest = dims % variant->dims, words = whole + (rest > 0);
    if (count < panels * variant->lanes)
        memset(lanes, 0, panels * words * variant->lanes * 4);
    for (size_t first = 0; first < count; first += variant->lanes, tokens += variant->lanes * dims) {
        size_t some = count - first < variant->lanes ? count - first : variant->lanes;
        for (size_t word = 0; word < words; word++, lanes += variant->lanes * 4)
            for (size_t lane = 0; lane < some; lane++) {
                const int8_t *from = tokens + lane * dims + word * variant->dims;
                if (word == whole)
                    put_word(from, rest, variant->dims, lanes + lane * 4);
                else if (variant->dims == 4)
                    put_word(from, 4, 4, lanes + lane * 4);
                else
                    put_word(from, 2, 2, lanes + lane * 4);
            }
    }
}

static int64_t int64_at(const char *array, size_t position)
{
    int64_t value;
    memcpy(&value, array + position * 8, 8);
    return value;
}

/* Find the wanted passage at `position`. */
static enum outcome passage_at(const struct passages *passages, size_t position, size_t *first, size_t *last)
{
    int64_t row = passages->rows ? int64_at(passages->rows, position) : (int64_t)position;
    if (row < 0 || (uint64_t)row >= passages->count)
        return BAD_ROW;
    int64_t start = int64_at(passages->offsets, (size_t)row), end = int64_at(passages->offsets, (size_t)row + 1);
    if (start < 0 || end < start || (uint64_t)end > passages->tokens)
        return BAD_OFFSETS;
    *first = (size_t)start;
    *last = (size_t)end;
    return DONE;
}

static void prefetch(const unsigned char *codes, size_t bytes)
{
    for (size_t byte = 0; byte < bytes; byte += 64)
        PREFETCH(codes + byte);
}

enum outcome maxsim(const struct variant *variant, size_t dims, const struct query *query,
                    const struct passages *passages, char *scores, size_t *where)
{
    size_t words = rounded_up(dims, variant->dims) / variant->dims, stride = words * variant->dims;
    size_t panels = rounded_up(query->tokens, variant->lanes) / variant->lanes;
    size_t block = rows_in_block(variant, words, BLOCK_BYTES), bytes = passages->bits == 8 ? dims : dims / 2;
    struct memory lanes = {0}, rows = {0}, best = {0}, shift = {0};
    enum outcome outcome = NO_MEMORY;
    if (!allocate(&lanes, panels * variant->lanes, words * 4) || !allocate(&rows, block, words * 4) ||
        !allocate(&best, panels * variant->lanes, 4) || !allocate(&shift, query->tokens, 4))
        goto end;
    pack(variant, query->codes, query->tokens, dims, panels, lanes.aligned);
    int32_t *tops = best.aligned, *shifts = shift.aligned;
    /* Rows that are too large by 128 or 8 in each dimension make all of a query token's products too large
       by the same. */
    for (size_t i = 0; variant->biased && i < query->tokens; i++)
        for (size_t dim = 0; dim < dims; dim++)
            shifts[i] += query->codes[i * dims + dim] * (passages->bits == 8 ? 128 : 8);
    size_t first = 0, last = 0, next_first = 0, next_last = 0;
    outcome = passages->wanted ? passage_at(passages, *where = 0, &next_first, &next_last) : DONE;
    for (size_t i = 0; outcome == DONE && i < passages->wanted; i++) {
        first = next_first;
        last = next_last;
        next_first = next_last = 0;
        if (i + 1 < passages->wanted)
            outcome = passage_at(passages, *where = i + 1, &next_first, &next_last);
        for (size_t lane = 0; lane < panels * variant->lanes; lane++)
            tops[lane] = INT32_MIN;
        for (size_t token = first; token < last; token += block) {
            size_t some = last - token < block ? last - token : block;
            const unsigned char *codes = passages->codes + token * bytes;
            if (passages->bits == 8)
                variant->widen8(codes, some, dims, stride, rows.aligned);
            else
                variant->widen4(codes, some, bytes, stride, rows.aligned);
            /* What comes next is fetched while this is computed. */
            size_t ahead = token + some < last ? token + some : next_first;
            size_t until = token + some < last ? last : next_last;
            prefetch(passages->codes + ahead * bytes, (until - ahead < block ? until - ahead : block) * bytes);
            variant->best(lanes.aligned, panels, rows.aligned, some, words, tops);
        }
        /* In the order of the query, so that every variant sums alike. Products are exact: 24 + 29 bits. */
        double sum = 0;
        for (size_t j = 0; last > first && j < query->tokens; j++) {
            float step;
            memcpy(&step, query->steps + j * 4, 4);
            sum += (double)(tops[j] - shifts[j]) * (double)step;
        }
        float score = (float)sum;
        memcpy(scores + i * 4, &score, 4);
    }
end:
    free(lanes.whole);
    free(rows.whole);
    free(best.whole);
    free(shift.whole);
    return outcome;
}

/* Tokens that take turns with a block of centroids: their lanes stay in the second-level cache. */
#define PANELS_IN_BLOCK 16

enum outcome nearest(const struct variant *variant, size_t dims, const int8_t *tokens, size_t count,
                     const int8_t *centroids, size_t centroid_count, const int32_t *bias, int32_t *index)
{
    size_t words = rounded_up(dims, variant->dims) / variant->dims, stride = words * variant->dims;
    size_t padded = rounded_up(centroid_count, variant->tile_rows);
    size_t block = rows_in_block(variant, words, CENTROID_BLOCK_BYTES);
    size_t block_tokens = PANELS_IN_BLOCK * variant->lanes;
    struct memory lanes = {0}, rows = {0}, biases = {0}, best = {0}, at = {0};
    enum outcome outcome = NO_MEMORY;
    if (!allocate(&lanes, block_tokens, words * 4) || !allocate(&rows, padded, words * 4) ||
        !allocate(&biases, padded, 4) || !allocate(&best, block_tokens, 4) || !allocate(&at, block_tokens, 4))
        goto end;
    unsigned char *row = rows.aligned;
    int32_t *row_bias = biases.aligned, *tops = best.aligned, *ats = at.aligned;
    for (size_t i = 0; i < padded; i++) {
        /* The last one again does not win: the first of equals does. */
        size_t centroid = i < centroid_count ? i : centroid_count - 1;
        variant->widen8((const unsigned char *)centroids + centroid * dims, 1, dims, stride, row + i * words * 4);
        row_bias[i] = bias ? bias[centroid] : 0;
    }
    for (size_t token = 0; token < count; token += block_tokens) {
        size_t some = count - token < block_tokens ? count - token : block_tokens;
        size_t panels = rounded_up(some, 2 * variant->lanes) / variant->lanes;
        pack(variant, tokens + token * dims, some, dims, panels, lanes.aligned);
        for (size_t lane = 0; lane < block_tokens; lane++) {
            tops[lane] = INT32_MIN;
            ats[lane] = 0;
        }
        for (size_t i = 0; i < padded; i += block)
            variant->nearest(lanes.aligned, panels, row + i * words * 4, padded - i < block ? padded - i : block,
                             words, row_bias + i, (int32_t)i, tops, ats);
        memcpy(index + token, ats, some * 4);
    }
    outcome = DONE;
end:
    free(lanes.whole);
    free(rows.whole);
    free(biases.whole);
    free(best.whole);
    free(at.whole);
    return outcome;
}
