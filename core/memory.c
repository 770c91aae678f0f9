/*
 * memory.c - large blocks of memory.
 */
#include "memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

void *lpips_alloc(size_t bytes)
{
    size_t whole = bytes / HUGE_PAGE * HUGE_PAGE;
    void *p;

    if (posix_memalign(&p, whole ? HUGE_PAGE : 64, bytes))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (whole)
        madvise(p, whole,
                MADV_HUGEPAGE); /* a wish: nothing is lost where it is not granted */
#endif
    return p;
}
