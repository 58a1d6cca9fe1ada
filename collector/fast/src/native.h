/* What the files of the compiled core share; see collector/fast/__init__.py.
 *
 * Rule for all of it: a text comes as `text` and `length`, and text[length] can be read and is 0,
 * as in every bytes object. That octet stops each loop that looks for something else: no check
 * of the end is needed at each step, and none may step over a 0.
 */
#ifndef COLLECTOR_NATIVE_H
#define COLLECTOR_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* Number of the functions and their arguments, as in collector/fast/__init__.py: raise both. */
#define NATIVE_INTERFACE 11

typedef unsigned char octet;

/* Levels of objects and arrays, or of elements, that are taken, as in wire/encodings/json_text.py
 * and wire/values/xml.py. */
#define MAX_DEPTH 128

/* --- json_text.c */

/* Behind the character of several octets at `at`; NULL when it is not UTF-8. */
const octet *utf8_character(const octet *at);

/* Behind the closing quote of the string whose first octet inside is `at`; NULL when it is no
 * JSON string in UTF-8. Sets `escaped` when there is a backslash in it, else leaves it. */
const octet *json_string(const octet *at, const octet *end, bool *escaped);

/* Behind the value that begins at `at`, with `outer` levels open around it; NULL when it is no
 * JSON, or a number that has to be looked at. Blanks are taken inside of it only. */
const octet *json_value(const octet *at, const octet *end, int outer);

/* --- date_and_time.c */

/* The minute that was read last: most texts of a batch are of the same one. */
struct minute {
    char text[16]; /* YYYY-MM-DDThh:mm, or zeros */
    int64_t ns;
};

/* ns since 1970 of a date-and-time in one of the usual forms; false for every other text. */
bool read_date_and_time(const octet *text, size_t length, struct minute *last, int64_t *ns);

/* --- json_envelope.c */

/* Members of a message; those of which only one may be there share a bit. */
enum member {
    ROOT = 0x1,
    EVENT_TIME = 0x2,
    HOST = 0x4,
    SEQUENCE_NUMBER = 0x8,
    OWN_HOST = 0x10, /* as IOS XR qualifies it: with the wrapper's own module */
    OWN_SEQUENCE_NUMBER = 0x20,
    CONTENTS = 0x40, /* the object around the payload */
    PUSH_UPDATE = 0x80,
    PUSH_CHANGE_UPDATE = 0x100,
    ID = 0x200,
    DATASTORE_CONTENTS = 0x400,
    DATASTORE_CHANGES = 0x800,
    PUBLISHER_ID = 0x1000,
    TIMESTAMP = 0x2000,
    POINT_IN_TIME = 0x4000,
    INCOMPLETE_UPDATE = 0x8000,
};

/* What a push-update or push-change-update says beside its contents. */
struct envelope {
    unsigned seen;            /* members; what is said of others below means nothing */
    uint32_t subscription_id; /* ID */
    uint32_t sequence_number; /* SEQUENCE_NUMBER or OWN_SEQUENCE_NUMBER */
    int64_t event_time;       /* EVENT_TIME: ns since 1970 */
    int64_t observation_time; /* TIMESTAMP: ns since 1970 */
    uint64_t generator;       /* PUBLISHER_ID */
    const octet *generator_text;
    int generator_length; /* digits of it, in the text of the message */
};

/* Behind the decimal number at `at`, NULL when it is larger or not in its shortest spelling. */
const octet *read_uint(const octet *at, uint64_t maximum, uint64_t *value);

/* The envelope of a message in one of the usual forms. False when the Python decoder has to look
 * at it, whether it is wrong, of another kind, or just unusual; then `found` means nothing. */
bool read_json_envelope(const octet *text, size_t length, struct minute *last,
                        struct envelope *found);

/* --- xml_envelope.c */

/* As read_json_envelope(). */
bool read_xml_envelope(const octet *text, size_t length, struct minute *last,
                       struct envelope *found);

/* --- read_envelopes.c */

PyObject *read_envelopes(PyObject *module, PyObject *args);

/* --- gather.c */

PyObject *gather(PyObject *module, PyObject *args);

#endif
