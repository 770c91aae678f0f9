/*
 * memory.h - large blocks of memory.
 */
#ifndef LPIPS_MEMORY_H
#define LPIPS_MEMORY_H

#include <stddef.h>

/* As posix_memalign() with 64 bytes, for free(); on huge pages where the system has some to
 * give: a Winograd transform touches more pages at once than an ordinary table of them holds.
 */
void *lpips_alloc(size_t bytes);

#endif
