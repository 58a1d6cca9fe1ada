/* XML text (XML 1.0, Namespaces in XML 1.0) in UTF-8: is it well-formed, and where does it end?
 *
 * Does: prove elements, attributes, namespaces and character data sound in one pass, without
 * recursion and without making anything of it. Does not: know names, or decide about anything that
 * machines rarely write: comments, processing instructions, CDATA, document types, references by
 * number, names beyond ASCII, the prefixes that XML reserves.
 *
 * Rules: NULL for what is not surely well-formed; the Python decoder (expat) decides about that.
 * Bounded: levels, prefixes in scope, attributes of an element.
 */
#include "xml_text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Attributes of one element; ours. They are compared with each other. */
#define MAX_ATTRIBUTES 16

/* --- names */

enum { OTHER, PART, START }; /* what an octet may be in a name */

/* Letters and the low line begin a name; digits, '-' and '.' go on with it. */
static inline int
name_class(octet one)
{
    octet lower = one | 0x20;
    if ((lower >= 'a' && lower <= 'z') || one == '_')
        return START;
    return (octet)(one - '0') < 10 || one == '-' || one == '.' ? PART : OTHER;
}

static inline const octet *
skip_part(const octet *at)
{
    if (name_class(*at) != START)
        return NULL;
    do
        at++;
    while (name_class(*at) != OTHER);
    return at;
}

static inline bool
same(struct piece one, struct piece other)
{
    return one.length == other.length && memcmp(one.text, other.text, one.length) == 0;
}

static inline bool
is_word(struct piece one, const char *word, size_t length)
{
    return one.length == length && memcmp(one.text, word, length) == 0;
}

/* Behind a name with or without a prefix (of length 0). */
static inline const octet *
read_name(const octet *at, struct piece *prefix, struct piece *local)
{
    const octet *end = skip_part(at);
    if (end == NULL)
        return NULL;
    *prefix = (struct piece){at, 0};
    *local = (struct piece){at, (size_t)(end - at)};
    if (*end == ':') {
        *prefix = *local;
        at = end + 1;
        end = skip_part(at);
        if (end == NULL || *end == ':')
            return NULL;
        *local = (struct piece){at, (size_t)(end - at)};
    }
    return end;
}

/* --- character data and values */

/* Behind one of the five references that every document knows. */
static const octet *
skip_reference(const octet *at)
{
    static const struct { const char *text; size_t length; } known[] = {
        {"&lt;", 4}, {"&gt;", 4}, {"&amp;", 5}, {"&quot;", 6}, {"&apos;", 6},
    };
    for (size_t one = 0; one < sizeof known / sizeof *known; one++)
        if (strncmp((const char *)at, known[one].text, known[one].length) == 0)
            return at + known[one].length;
    return NULL;
}

/* Behind a character of several octets; XML has neither U+FFFE nor U+FFFF. */
static const octet *
skip_character(const octet *at)
{
    const octet *behind = utf8_character(at);
    if (behind != NULL && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe)
        return NULL;
    return behind;
}

static inline bool
is_plain(octet one)
{
    return one >= 0x20 && one < 0x80 && one != '<' && one != '&' && one != ']';
}

/* The next octet that may mean something in character data; `end` is none. */
static inline const octet *
skip_plain(const octet *at, const octet *end)
{
#ifdef __SSE2__
    const __m128i less = _mm_set1_epi8('<'), ampersand = _mm_set1_epi8('&');
    const __m128i bracket = _mm_set1_epi8(']'), space = _mm_set1_epi8(' ');
    while (end - at >= 16) {
        __m128i octets = _mm_loadu_si128((const __m128i *)at);
        /* signed: what is not ASCII is less than a space, too */
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmplt_epi8(octets, space), _mm_cmpeq_epi8(octets, less)),
            _mm_or_si128(_mm_cmpeq_epi8(octets, ampersand), _mm_cmpeq_epi8(octets, bracket)));
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

const octet *
xml_text(const octet *at, const octet *end)
{
    while (at != NULL) {
        at = skip_plain(at, end);
        switch (*at) {
        case '<':
            return at;
        case ' ': case '\t': case '\n': case '\r':
            at++;
            break;
        case ']': /* "]]>" may not be here */
            at = at[1] == ']' ? NULL : at + 1;
            break;
        case '&':
            at = skip_reference(at);
            break;
        default:
            at = *at >= 0x80 ? skip_character(at) : NULL;
        }
    }
    return NULL;
}

/* Behind the closing quote of an attribute's value, from its opening quote. */
static const octet *
read_value(const octet *at, struct piece *value)
{
    octet quote = *at;
    if (quote != '"' && quote != '\'')
        return NULL;
    const octet *start = ++at;
    while (at != NULL && *at != quote) {
        if (*at == '&')
            at = skip_reference(at);
        else if (*at >= 0x80)
            at = skip_character(at);
        else
            at = *at < 0x20 || *at == '<' ? NULL : at + 1;
    }
    if (at == NULL)
        return NULL;
    *value = (struct piece){start, (size_t)(at - start)};
    return at + 1;
}

/* --- namespaces */

static const struct piece *
find_scope(const struct xml *xml, struct piece prefix)
{
    for (int one = xml->scopes - 1; one >= 0; one--)
        if (same(xml->scope[one].prefix, prefix))
            return &xml->scope[one].uri;
    return NULL;
}

/* A namespace whose every octet stands for itself, and that XML does not reserve. */
static bool
is_usual_uri(struct piece uri)
{
    static const char reserved[] = "http://www.w3.org/";
    for (size_t place = 0; place < uri.length; place++)
        if (uri.text[place] <= ' ' || uri.text[place] >= 0x7f || uri.text[place] == '&')
            return false;
    size_t length = sizeof reserved - 1;
    return uri.length < length || memcmp(uri.text, reserved, length) != 0;
}

/* `prefix` of length 0: the default namespace, which may be none. */
static bool
declare(struct xml *xml, struct piece prefix, struct piece uri)
{
    if (xml->scopes == MAX_SCOPES || !is_usual_uri(uri))
        return false;
    if (prefix.length != 0 &&
        (uri.length == 0 || is_word(prefix, "xml", 3) || is_word(prefix, "xmlns", 5)))
        return false;
    xml->scope[xml->scopes].prefix = prefix;
    xml->scope[xml->scopes].uri = uri;
    xml->scopes++;
    return true;
}

/* --- tags */

struct attribute {
    struct piece prefix, local;
};

/* Is there one like it before it? With two prefixes of one namespace it could be the same. */
static bool
comes_twice(const struct attribute *all, int count, struct attribute *one)
{
    for (int other = 0; other < count; other++)
        if (same(all[other].local, one->local) &&
            (all[other].prefix.length == 0) == (one->prefix.length == 0))
            return true;
    return false;
}

/* Behind the attributes of a start tag: the '>' or "/>" that ends it. */
static const octet *
read_attributes(struct xml *xml, const octet *at)
{
    struct attribute found[MAX_ATTRIBUTES];
    int count = 0;
    for (;;) {
        const octet *next = xml_blanks(at);
        if (*next == '>' || *next == '/')
            break;
        struct attribute *one = &found[count];
        struct piece value;
        if (next == at || count == MAX_ATTRIBUTES)
            return NULL;
        at = read_name(next, &one->prefix, &one->local);
        if (at == NULL || *at != '=' || comes_twice(found, count, one))
            return NULL;
        at = read_value(at + 1, &value);
        if (at == NULL)
            return NULL;
        count++;
        if (is_word(one->prefix, "xmlns", 5)) {
            if (!declare(xml, one->local, value))
                return NULL;
        } else if (one->prefix.length == 0 && is_word(one->local, "xmlns", 5)) {
            if (!declare(xml, one->prefix, value))
                return NULL;
        }
    }
    for (int one = 0; one < count; one++) /* a prefix may be declared behind its use */
        if (found[one].prefix.length != 0 && !is_word(found[one].prefix, "xmlns", 5) &&
            find_scope(xml, found[one].prefix) == NULL)
            return NULL;
    return xml_blanks(at);
}

const octet *
xml_start(struct xml *xml, const octet *at, struct tag *tag)
{
    const octet *start = at;
    struct piece prefix;
    if (xml->depth == MAX_DEPTH)
        return NULL;
    int before = xml->scopes;
    at = read_name(at, &prefix, &tag->local);
    if (at == NULL)
        return NULL;
    struct piece name = {start, (size_t)(at - start)};
    if (*at != '>') {
        at = read_attributes(xml, at);
        if (at == NULL)
            return NULL;
    }
    const struct piece *uri = find_scope(xml, prefix);
    if (uri == NULL && prefix.length != 0)
        return NULL;
    tag->uri = uri == NULL ? (struct piece){start, 0} : *uri;
    tag->empty = *at == '/';
    if (tag->empty) {
        xml->scopes = before;
        return at[1] == '>' ? at + 2 : NULL;
    }
    xml->open[xml->depth] = name;
    xml->scopes_before[xml->depth] = before;
    xml->depth++;
    return at + 1;
}

const octet *
xml_end(struct xml *xml, const octet *at)
{
    struct piece name = xml->open[xml->depth - 1];
    /* strncmp stops at the 0 behind the document */
    if (strncmp((const char *)at, (const char *)name.text, name.length) != 0)
        return NULL;
    at = xml_blanks(at + name.length);
    if (*at != '>') /* among others when the name goes on */
        return NULL;
    xml->depth--;
    xml->scopes = xml->scopes_before[xml->depth];
    return at + 1;
}

const octet *
xml_inside(struct xml *xml, const octet *at)
{
    int outer = xml->depth - 1;
    struct tag tag;
    while (at != NULL && xml->depth != outer) {
        at = xml_text(at, xml->end);
        if (at != NULL)
            at = at[1] == '/' ? xml_end(xml, at + 2) : xml_start(xml, at + 1, &tag);
    }
    return at;
}
