/*
 * scaling.h - the constants that every net of LPIPS begins with (lpips/lpips.py,
 * ScalingLayer): an input x of -1..1 becomes (x - shift) / scale, channel by channel.
 */
#ifndef LEARN_SCALING_H
#define LEARN_SCALING_H

extern const float learn_shift[3], learn_scale[3];

#endif
