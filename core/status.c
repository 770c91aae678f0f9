/*
 * status.c - sentences for status codes; the version in use.
 */
#include "lpips.h"

unsigned lpips_version(void)
{
    return LPIPS_VERSION_MAJOR << 16 | LPIPS_VERSION_MINOR << 8 | LPIPS_VERSION_PATCH;
}

const char *lpips_strerror(int status)
{
    switch (status) {
    case LPIPS_OK:
        return "success";
    case LPIPS_ERR_ARGUMENT:
        return "invalid argument";
    case LPIPS_ERR_MEMORY:
        return "out of memory, or over the memory limit that was set";
    case LPIPS_ERR_SIZE:
        return "picture too small for the net, too large, or not of the context's size";
    case LPIPS_ERR_IO:
        return "weights file missing or unreadable";
    case LPIPS_ERR_WEIGHTS:
        return "weights file is not safetensors or is damaged";
    case LPIPS_ERR_TENSOR:
        return "weights lack a tensor, or hold one of a wrong shape or value";
    case LPIPS_ERR_UNSUPPORTED:
        return "not supported by this build, or not asked for when the context was made";
    case LPIPS_ERR_NOT_FINITE:
        return "picture holds NaN, infinity or a value beyond 65536";
    case LPIPS_ERR_ABORTED:
        return "stopped by the progress callback";
    default:
        return "unknown status";
    }
}
