/* The envelope of a push-update or push-change-update in JSON: twin of the structs of
 * wire/encodings/json_updates.py (`_Message` and those under it).
 *
 * Does: read the members that the structs know, in any order, and prove the rest of the text valid
 * JSON. Does not: decide about anything that the structs would leave to the plain way (blanks,
 * escapes, other members, null, one member twice) or that could be refused.
 *
 * Rules: names are compared as they come, with their quotes and the colon: what is spelled with an
 * escape is another name.
 */
#include "native.h"

struct known {
    const char *text; /* "name": */
    int length;
    enum member member;
    const struct known *inside; /* members of the object that it is, else NULL */
};

#define NAME(name) "\"" name "\":", sizeof("\"" name "\":") - 1
#define END {NULL, 0, 0, NULL}
#define DN "ietf-distributed-notif:"
#define OBSERVATION "ietf-yp-observation:"
#define SEQUENCING "ietf-notification-sequencing:"
#define NOTIFICATION "ietf-notification:"
#define PAYLOADS \
    {NAME("ietf-yang-push:push-update"), PUSH_UPDATE, UPDATE}, \
    {NAME("ietf-yang-push:push-change-update"), PUSH_CHANGE_UPDATE, UPDATE}

static const struct known UPDATE[] = {
    {NAME("id"), ID, NULL},
    {NAME(DN "message-publisher-id"), PUBLISHER_ID, NULL},
    {NAME(OBSERVATION "timestamp"), TIMESTAMP, NULL},
    {NAME(OBSERVATION "point-in-time"), POINT_IN_TIME, NULL},
    {NAME("datastore-contents"), DATASTORE_CONTENTS, NULL},
    {NAME("datastore-changes"), DATASTORE_CHANGES, NULL},
    {NAME("incomplete-update"), INCOMPLETE_UPDATE, NULL},
    END,
};
static const struct known PAYLOAD_ONLY[] = {PAYLOADS, END};
static const struct known ENVELOPE[] = {
    {NAME("event-time"), EVENT_TIME, NULL},
    {NAME("hostname"), HOST, NULL},
    {NAME("sequence-number"), SEQUENCE_NUMBER, NULL},
    {NAME("contents"), CONTENTS, PAYLOAD_ONLY},
    {NAME("notification-contents"), CONTENTS, PAYLOAD_ONLY},
    END,
};
static const struct known HEADER_5277[] = {
    {NAME("eventTime"), EVENT_TIME, NULL},
    {NAME(SEQUENCING "sysName"), HOST, NULL},
    {NAME(SEQUENCING "sequenceNumber"), SEQUENCE_NUMBER, NULL},
    {NAME(NOTIFICATION "sysName"), OWN_HOST, NULL},
    {NAME(NOTIFICATION "sequenceNumber"), OWN_SEQUENCE_NUMBER, NULL},
    PAYLOADS,
    END,
};
static const struct known MESSAGE[] = {
    {NAME("ietf-yp-notification:envelope"), ROOT, ENVELOPE},
    {NAME("ietf-notification:notification"), ROOT, HEADER_5277},
    END,
};

/* A message on the way. */
struct reading {
    const octet *end;
    struct minute *last;
    struct envelope *found;
};

/* --- leaves: behind the value that begins at `at`, NULL when it is none of the usual form */

/* Digits of a number that surely fits 64 bits. */
#define LONGEST_ID 18

const octet *
read_uint(const octet *at, uint64_t maximum, uint64_t *value)
{
    const octet *start = at;
    uint64_t number = 0;
    while ((octet)(*at - '0') < 10 && at - start <= LONGEST_ID)
        number = 10 * number + (octet)(*at++ - '0');
    if (at == start || at - start > LONGEST_ID || number > maximum)
        return NULL;
    if (*start == '0' && at - start > 1)
        return NULL;
    *value = number;
    return at;
}

static const octet *
read_text(const octet *at, const octet *end)
{
    bool escaped = false;
    if (*at != '"')
        return NULL;
    at = json_string(at + 1, end, &escaped);
    return escaped ? NULL : at;
}

static const octet *
read_time(struct reading *reading, const octet *at, int64_t *ns)
{
    const octet *text = at + 1;
    at = read_text(at, reading->end);
    if (at == NULL)
        return NULL;
    return read_date_and_time(text, (size_t)(at - 1 - text), reading->last, ns) ? at : NULL;
}

static const octet *
read_leaf(struct reading *reading, const octet *at, enum member member, int depth)
{
    struct envelope *found = reading->found;
    const octet *start = at;
    uint64_t number = 0;
    switch (member) {
    case EVENT_TIME:
        return read_time(reading, at, &found->event_time);
    case TIMESTAMP:
        return read_time(reading, at, &found->observation_time);
    case HOST:
    case OWN_HOST:
    case POINT_IN_TIME:
        return read_text(at, reading->end);
    case SEQUENCE_NUMBER:
    case OWN_SEQUENCE_NUMBER:
        at = read_uint(at, UINT32_MAX, &number);
        found->sequence_number = (uint32_t)number;
        return at;
    case ID:
        at = read_uint(at, UINT32_MAX, &number);
        found->subscription_id = (uint32_t)number;
        return at;
    case PUBLISHER_ID:
        at = read_uint(at, UINT64_MAX, &found->generator);
        found->generator_text = start;
        found->generator_length = at == NULL ? 0 : (int)(at - start);
        return at;
    case INCOMPLETE_UPDATE:
        return strncmp((const char *)at, "[null]", 6) == 0 ? at + 6 : NULL;
    case DATASTORE_CONTENTS:
    case DATASTORE_CHANGES:
        return json_value(at, reading->end, depth);
    default:
        return NULL;
    }
}

/* --- objects */

static const struct known *
find_known(const struct known *one, const octet *at, const octet *end)
{
    for (; one->text != NULL; one++)
        if (end - at >= one->length && memcmp(at, one->text, (size_t)one->length) == 0)
            return one;
    return NULL;
}

/* Behind the object at `at`; calls itself as deep as the tables are. `depth`: levels with it. */
static const octet *
read_object(struct reading *reading, const octet *at, const struct known *table, int depth)
{
    if (*at != '{')
        return NULL;
    at++;
    if (*at == '}')
        return at + 1;
    for (;;) {
        const struct known *one = find_known(table, at, reading->end);
        if (one == NULL || (reading->found->seen & one->member))
            return NULL;
        reading->found->seen |= one->member;
        at += one->length;
        at = one->inside != NULL ? read_object(reading, at, one->inside, depth + 1)
                                 : read_leaf(reading, at, one->member, depth);
        if (at == NULL)
            return NULL;
        if (*at == '}')
            return at + 1;
        if (*at != ',')
            return NULL;
        at++;
    }
}

bool
read_json_envelope(const octet *text, size_t length, struct minute *last, struct envelope *found)
{
    struct reading reading = {text + length, last, found};
    found->seen = 0;
    if (read_object(&reading, text, MESSAGE, 1) != reading.end)
        return false;
    unsigned payload = found->seen & (PUSH_UPDATE | PUSH_CHANGE_UPDATE);
    if (payload != PUSH_UPDATE && payload != PUSH_CHANGE_UPDATE)
        return false;
    /* two spellings of the host or of the number: Python says which counts */
    return !(found->seen & (HOST | SEQUENCE_NUMBER))
        || !(found->seen & (OWN_HOST | OWN_SEQUENCE_NUMBER));
}
