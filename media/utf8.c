/*
 * utf8.c - names and messages from outside are bytes; documents want UTF-8.
 */
#include "media.h"

#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 character at s, 0 where there is none (RFC 3629: no surrogates, no
 * overlong forms). */
static size_t character(const unsigned char *s)
{
    size_t more = s[0] < 0x80 ? 0 : s[0] < 0xc2 ? 9 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    unsigned low = 0x80, high = 0xbf;

    if (more == 9 || s[0] > 0xf4)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i <= more; i++, low = 0x80, high = 0xbf)
        if (s[i] < low || s[i] > high)
            return 0;
    return more + 1;
}

char *media_clean_text(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1), *to = copy;

    while (copy && *text) {
        size_t n = character((const unsigned char *)text);

        memcpy(to, n ? text : "\xef\xbf\xbd", n ? n : 3);
        to += n ? n : 3;
        text += n ? n : 1;
    }
    if (copy)
        *to = 0;
    return copy;
}
