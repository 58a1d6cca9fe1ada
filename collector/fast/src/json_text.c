/* JSON text (RFC 8259) in UTF-8: is it sound, and where does it end?
 *
 * Does: prove a string or a value valid in one pass, without recursion and without making anything
 * of it. Does not: know names, or what a value means.
 *
 * Rules: NULL for what is not surely valid. Numbers that a reader might refuse for their size (long
 * ones, large exponents) are among that; the Python decoder decides about them.
 */
#include "native.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Characters of the longest number and digits of the longest exponent that surely fit a double. */
#define LONGEST_NUMBER 64
#define LONGEST_EXPONENT 2

/* --- strings */

static inline bool
is_plain(octet one)
{
    return one >= 0x20 && one < 0x80 && one != '"' && one != '\\';
}

/* The next octet that is not just a printable ASCII character of a string; `end` is none. */
static inline const octet *
skip_plain(const octet *at, const octet *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    while (end - at >= 16) {
        __m128i octets = _mm_loadu_si128((const __m128i *)at);
        /* signed: what is not ASCII is less than a space, too */
        __m128i special = _mm_or_si128(
            _mm_cmplt_epi8(octets, space),
            _mm_or_si128(_mm_cmpeq_epi8(octets, quote), _mm_cmpeq_epi8(octets, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#else
    (void)end;
#endif
    while (is_plain(*at))
        at++;
    return at;
}

static inline bool
is_hex(octet one)
{
    return (one >= '0' && one <= '9') || ((one | 0x20) >= 'a' && (one | 0x20) <= 'f');
}

/* Behind the escape whose backslash is at `at`; NULL for none of RFC 8259 section 7. */
static const octet *
skip_escape(const octet *at)
{
    switch (at[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        return at + 2;
    case 'u':
        /* halves of surrogate pairs may stand alone here, as in Python's json */
        for (int digit = 2; digit < 6; digit++)
            if (!is_hex(at[digit]))
                return NULL;
        return at + 6;
    default:
        return NULL;
    }
}

static inline bool
is_between(octet one, octet first, octet last)
{
    return one >= first && one <= last;
}

/* Behind the character of several octets at `at`; NULL for what RFC 3629 section 4 does not know:
 * forms that are too long, surrogates, and what is beyond U+10FFFF. */
const octet *
utf8_character(const octet *at)
{
    octet lead = at[0], first = 0x80, last = 0xbf; /* range of the second octet */
    int more;
    if (is_between(lead, 0xc2, 0xdf)) {
        more = 1;
    } else if (is_between(lead, 0xe0, 0xef)) {
        more = 2;
        if (lead == 0xe0)
            first = 0xa0;
        else if (lead == 0xed)
            last = 0x9f;
    } else if (is_between(lead, 0xf0, 0xf4)) {
        more = 3;
        if (lead == 0xf0)
            first = 0x90;
        else if (lead == 0xf4)
            last = 0x8f;
    } else {
        return NULL;
    }
    if (!is_between(at[1], first, last))
        return NULL;
    for (int place = 2; place <= more; place++)
        if (!is_between(at[place], 0x80, 0xbf))
            return NULL;
    return at + 1 + more;
}

/* What comes in a string where the plain part ended: NULL when it may not be there. */
static const octet *
skip_special(const octet *at, bool *escaped)
{
    if (*at == '\\') {
        *escaped = true;
        return skip_escape(at);
    }
    return *at >= 0x80 ? utf8_character(at) : NULL;
}

static inline const octet *
skip_string(const octet *at, const octet *end, bool *escaped)
{
    for (;;) {
        at = skip_plain(at, end);
        if (*at == '"')
            return at + 1;
        at = skip_special(at, escaped);
        if (at == NULL)
            return NULL;
    }
}

const octet *
json_string(const octet *at, const octet *end, bool *escaped)
{
    return skip_string(at, end, escaped);
}

/* --- numbers and words */

static inline bool
is_digit(octet one)
{
    return (octet)(one - '0') < 10;
}

static inline const octet *
skip_digits(const octet *at)
{
    if (!is_digit(*at))
        return NULL;
    while (is_digit(*at))
        at++;
    return at;
}

static const octet *
skip_number(const octet *at)
{
    const octet *start = at;
    if (*at == '-')
        at++;
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (at == NULL)
        return NULL;
    if (*at == '.') {
        at = skip_digits(at + 1);
        if (at == NULL)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        const octet *digits = at + (at[1] == '+' || at[1] == '-' ? 2 : 1);
        at = skip_digits(digits);
        if (at == NULL || at - digits > LONGEST_EXPONENT)
            return NULL;
    }
    return at - start > LONGEST_NUMBER ? NULL : at;
}

/* Behind `word`, which begins at `at`, else NULL. strncmp stops at the 0 behind the text. */
static inline const octet *
skip_word(const octet *at, const char *word, size_t length)
{
    return strncmp((const char *)at, word, length) == 0 ? at + length : NULL;
}

/* --- values */

static inline const octet *
skip_blanks(const octet *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

/* From a member's name to its value. */
static inline const octet *
skip_name(const octet *at, const octet *end)
{
    bool escaped;
    if (*at != '"')
        return NULL;
    at = skip_string(at + 1, end, &escaped);
    if (at == NULL)
        return NULL;
    at = skip_blanks(at);
    return *at == ':' ? skip_blanks(at + 1) : NULL;
}

const octet *
json_value(const octet *at, const octet *end, int outer)
{
    octet closing[MAX_DEPTH]; /* what closes each open level */
    int open = 0;
    bool escaped;
    for (;;) {
        /* a value begins here */
        switch (*at) {
        case '"':
            at = skip_string(at + 1, end, &escaped);
            break;
        case '{':
        case '[':
            if (outer + open >= MAX_DEPTH)
                return NULL;
            closing[open++] = *at == '{' ? '}' : ']';
            at = skip_blanks(at + 1);
            if (*at == closing[open - 1])
                break; /* empty: closed below */
            if (closing[open - 1] == '}')
                at = skip_name(at, end);
            if (at == NULL)
                return NULL;
            continue;
        case 't':
            at = skip_word(at, "true", 4);
            break;
        case 'f':
            at = skip_word(at, "false", 5);
            break;
        case 'n':
            at = skip_word(at, "null", 4);
            break;
        default:
            at = skip_number(at);
        }
        if (at == NULL)
            return NULL;
        /* it ended here: close levels until there is another value */
        for (;;) {
            if (open == 0)
                return at;
            at = skip_blanks(at);
            if (*at == ',')
                break;
            if (*at != closing[open - 1])
                return NULL;
            at++;
            open--;
        }
        at = skip_blanks(at + 1);
        if (closing[open - 1] == '}') {
            at = skip_name(at, end);
            if (at == NULL)
                return NULL;
        }
    }
}
