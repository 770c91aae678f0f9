/*
 * Copyright (c) 2026 The liblpips authors
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

/**
 * @file
 * What of FFmpeg's interfaces differs between 5.1, 6.1, 7.1, 8.1 and 9.0. No other
 * file of the filter lpips asks for a version.
 */

#ifndef AVFILTER_LPIPS_COMPAT_H
#define AVFILTER_LPIPS_COMPAT_H

#include "version.h"

#define LAVFI(major, minor) (LIBAVFILTER_VERSION_INT >= AV_VERSION_INT(major, minor, 100))

#if LAVFI(9, 0)
#include "libavutil/file_open.h"
#else
#include "libavutil/internal.h"
#endif
#include "libavutil/mem.h"
#include "avfilter.h"
#include "filters.h"
#include "formats.h"
#if !LAVFI(10, 4)
#include "internal.h"
#endif

#if LAVFI(10, 4)
#define LINK(link) ff_filter_link(link)
#else
#define LINK(link) (link)
#endif

#if LAVFI(11, 0)
#define FILTER_TYPE FFFilter
#define FIELD(name) .p.name
#else
#define FILTER_TYPE AVFilter
#define FIELD(name) .name
#endif

#endif /* AVFILTER_LPIPS_COMPAT_H */
