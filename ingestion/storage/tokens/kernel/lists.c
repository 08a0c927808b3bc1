/* Scores from inverted lists; lists.h says which. */

#include "lists.h"

#include <stdlib.h>
#include <string.h>

static int64_t edge_at(const struct lists *lists, size_t position)
{
    int64_t value;
    memcpy(&value, lists->edges + position * 8, 8);
    return value;
}

/* Which token last raised a chunk's score, and the score: looked at together, so kept together. */
struct state {
    uint32_t token;
    float score;
};

static enum outcome add_list(const struct lists *lists, int32_t list, uint32_t token, float gain,
                             struct state *states, size_t chunks)
{
    if (list < 0 || (size_t)list >= lists->count)
        return BAD_ROW;
    int64_t first = edge_at(lists, (size_t)list), last = edge_at(lists, (size_t)list + 1);
    if (first < 0 || last < first || (uint64_t)last > lists->postings)
        return BAD_OFFSETS;
    for (const char *at = lists->chunks + first * 2, *end = lists->chunks + last * 2; at < end; at += 2) {
        uint16_t chunk;
        memcpy(&chunk, at, 2);
        if (chunk >= chunks)
            return BAD_ROW;
        struct state *state = states + chunk;
        state->score += state->token == token ? 0 : gain;
        state->token = token;
    }
    return DONE;
}

enum outcome add_gains(const struct lists *lists, const char *picks, const char *gains, size_t tokens,
                       size_t probes, char *scores, size_t chunks)
{
    struct state *states = calloc(chunks ? chunks : 1, sizeof *states);
    if (!states)
        return NO_MEMORY;
    enum outcome outcome = DONE;
    for (size_t i = 0; i < chunks; i++)
        memcpy(&states[i].score, scores + i * 4, 4);
    for (size_t token = 0; outcome == DONE && token < tokens; token++)
        for (size_t probe = 0; outcome == DONE && probe < probes; probe++) {
            int32_t list;
            float gain;
            memcpy(&list, picks + (token * probes + probe) * 4, 4);
            memcpy(&gain, gains + (token * probes + probe) * 4, 4);
            outcome = add_list(lists, list, (uint32_t)token + 1, gain, states, chunks);
        }
    for (size_t i = 0; i < chunks; i++)
        memcpy(scores + i * 4, &states[i].score, 4);
    free(states);
    return outcome;
}
