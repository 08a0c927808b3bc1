/* Scores from inverted lists. No Python in here. */

#ifndef LISTS_H
#define LISTS_H

#include <stddef.h>
#include <stdint.h>

#include "products.h"

struct lists {
    const char *chunks; /* [postings] uint16, aligned or not */
    size_t postings;
    const char *edges; /* [count + 1] int64: list i is chunks[edges[i] … edges[i + 1] - 1] */
    size_t count;
};

/* For each of the tokens, its `probes` lists in their order: a chunk's score grows by the gain of the first
   that it is in. BAD_ROW: a list that does not exist, or a chunk beyond the scores; BAD_OFFSETS: edges outside
   the postings. `scores` may have been changed by then. */
enum outcome add_gains(const struct lists *lists, const char *picks, const char *gains, size_t tokens,
                       size_t probes, char *scores, size_t chunks);

#endif
