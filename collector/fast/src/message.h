/* A batch of updates, and one message of it on its way through the fold. */
#ifndef COLLECTOR_MESSAGE_H
#define COLLECTOR_MESSAGE_H

#include "columns.h"
#include "layout.h"

/* Why the loop stops; the same numbers as in core/placing/straight_compiled.py. */
enum { DONE, UNCOMMON, DUE, LOOK_HERE, LOOK_EARLIER };

#define ID_MASK 0xFFFFFFFFLL

/* A column of few different values: the list of them, and a place in it for each row. */
struct coded {
    PyObject *words;
    struct column codes;
};

/* A number that came last, and the object made of it: neighbours often have the same. */
struct made {
    int64_t value;
    PyObject *object; /* ours */
};

struct batch {
    const struct layout *at;
    struct column arrival, header, message_id, key, event_time, time, incomplete, offset;
    struct coded device_name, source, name, kind;
    Py_ssize_t rows;
    PyObject *devices, *open_period, *push_update_kind;
    int mapped;
    int64_t due; /* first entry of the heap */
    struct made made_arrival, made_event_time;
    /* where the row before was found, borrowed: cards send in bursts. NULL: look it up. Nothing of
     * it changes but by Python's doing, and that is when it is let go of. */
    PyObject *run, *originator, *subscription;
    Py_ssize_t speaker; /* the row that it was found for */
};

/* Of a message in a ring; seen_ids.NUMBERS. */
struct numbers {
    int64_t arrival, id, time;
};

struct message {
    const struct layout *at;
    int64_t arrival, message_id, event_time, time, index, period;
    int64_t remainder, arrival_remainder, last_time;
    PyObject *run, *originator, *subscription, *opened; /* borrowed; opened may be NULL */
    PyObject *arrival_o, *event_time_o;                 /* borrowed */
    PyObject *index_o;                                  /* ours */
    struct numbers numbers; /* as the ring will have it */
    struct numbers *seen;   /* its place in Run.seen */
    Py_ssize_t place;       /* in Run.speakers */
};

/* The word of a row; NULL when there is no such one. */
static inline PyObject *
word_of(const struct coded *column, Py_ssize_t row)
{
    uint32_t code = U32(column->codes)[row];
    return code < (size_t)PyList_GET_SIZE(column->words) ? PyList_GET_ITEM(column->words, code)
                                                         : NULL;
}

/* Looks everything up and changes nothing. DONE: it is common. UNCOMMON may come with an exception. */
int find_message(struct batch *b, Py_ssize_t row, struct message *m);

/* Does what straight.place_all does to a common message: DONE or what to look at; -1: exception. */
int keep_message(struct batch *b, struct message *m);

#endif
