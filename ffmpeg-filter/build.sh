#!/bin/sh
# The steps of `make ffmpeg`; ffmpeg.mk says when each is due.
# usage: build.sh patch TREE PATCH
#        build.sh keep TREE OBJ OWN-TREE
#        build.sh configure TREE OBJ PKGCONFIG-FOLDER full|small|own [OPTION...]
#        build.sh filter TREE FILE...
#        build.sh make OBJ
set -eu

die() {
    echo "ffmpeg: $*" >&2
    exit 1
}

# The patch as it is, or, for a point release that numbers itself differently, without
# its two book-keeping files.  Never with fuzz: a hunk in the wrong place compiles too.
patch_tree() { # TREE PATCH
    if patch -d "$1" -p1 --fuzz=0 --dry-run -s -f <"$2" >/dev/null 2>&1; then
        patch -d "$1" -p1 --fuzz=0 -s <"$2"
        return
    fi
    if [ -f "$1/libavfilter/vf_lpips.c" ]; then
        echo "ffmpeg: the tree has the filter already"
        return
    fi
    awk '/^diff --git / { keep = !/ b\/(Changelog|libavfilter\/version\.h)$/ } keep' "$2" \
        >"$1/lpips.patch"
    patch -d "$1" -p1 --fuzz=0 --dry-run -f <"$1/lpips.patch" >"$1/lpips.log" 2>&1 || {
        cat "$1/lpips.log" >&2
        die "$(basename "$2") does not fit FFmpeg $(cat "$1/RELEASE"); patches/ has those of other versions"
    }
    patch -d "$1" -p1 --fuzz=0 -s <"$1/lpips.patch"
    echo "ffmpeg: patched without Changelog and version.h, which differ in $(cat "$1/RELEASE")"
}

# Objects of another release go: a tarball's files are older than they are.  With a new
# patch on the same release they stay, and make finds the few that are stale.
keep_objects() { # TREE OBJ OWN-TREE
    now=$(cat "$1/RELEASE")
    [ -z "$3" ] && [ "$now" = "$(cat "$2/release" 2>/dev/null)" ] || rm -rf "$2"
    mkdir -p "$2"
    [ -n "$3" ] || echo "$now" >"$2/release"
}

filters='lpips psnr ssim identity xpsnr
    scale format noformat setparams setrange colorspace split null copy metadata showinfo
    settb setpts fps trim select loop tpad crop pad transpose hflip vflip setsar setdar
    avgblur boxblur gblur noise drawbox lutyuv lutrgb lut eq overlay blend hstack vstack
    interlace field extractplanes mergeplanes shuffleplanes alphaextract
    testsrc testsrc2 color nullsrc mandelbrot rgbtestsrc yuvtestsrc movie
    aresample aformat anull atrim asetpts anullsrc'
demuxers='mov matroska yuv4mpegpipe rawvideo image2 image2pipe image_png_pipe h264 avi concat'
muxers='null yuv4mpegpipe matroska mov mp4 rawvideo image2 image2pipe h264 avi md5 framemd5
    hash framehash framecrc'
decoders='h264 ffv1 mjpeg png rawvideo wrapped_avframe mpeg4'
encoders='ffv1 mjpeg png rawvideo wrapped_avframe mpeg4'
parsers='h264 mjpeg png mpeg4video'
bsfs='h264_mp4toannexb extract_extradata null'

# What the tests of the other versions do without.
full() {
    demuxers="$demuxers hevc ivf obu av1 mjpeg mpegts mpegps webm_dash_manifest ffmetadata wav"
    muxers="$muxers webm hevc ivf obu mpegts"
    decoders="$decoders hevc vp8 vp9 mpeg2video prores huffyuv ffvhuff utvideo v210 bmp
        aac mp3float ac3 eac3 opus vorbis flac alac pcm_s16le pcm_s24le"
    encoders="$encoders mpeg2video ffvhuff pcm_s16le"
    parsers="$parsers hevc vp8 vp9 av1 mpegvideo aac ac3 opus vorbis flac"
    bsfs="$bsfs hevc_mp4toannexb vp9_superframe vp9_superframe_split av1_frame_merge
        av1_frame_split h264_metadata hevc_metadata"
}

list() { # KIND NAMES...
    kind=$1
    shift
    echo "$*" | tr -s ' \n' ',,' | sed "s/^/--enable-$kind=/; s/,\$//"
}

# The program as small as tests and demo allow: nothing but what is listed here.
trimmed() { # EXTENT
    [ "$1" = small ] || full
    echo --disable-everything --disable-autodetect --disable-doc --disable-network \
        --disable-ffplay --disable-debug --enable-protocol=file,pipe --enable-indev=lavfi
    # shellcheck disable=SC2086 # lists of words
    echo "$(list filter $filters)" "$(list demuxer $demuxers)" "$(list muxer $muxers)" \
        "$(list decoder $decoders)" "$(list encoder $encoders)" "$(list parser $parsers)" \
        "$(list bsf $bsfs)"
    command -v nasm >/dev/null || echo --disable-x86asm
    ! pkg-config --exists zlib || echo --enable-zlib
    if [ "$1" = small ]; then
        echo --optflags=-O1
    elif pkg-config --exists dav1d; then
        echo --enable-libdav1d --enable-decoder=libdav1d
    fi
    ! pkg-config --exists libvmaf || echo --enable-libvmaf --enable-filter=libvmaf
    ! pkg-config --exists x264 || echo --enable-gpl --enable-libx264 --enable-encoder=libx264
}

configure_tree() { # TREE OBJ PKGCONFIG-FOLDER EXTENT [OPTION...]
    source=$(cd "$1" && pwd)
    pkgconfig=$(cd "$3" && pwd)
    obj=$2
    export PKG_CONFIG_PATH="$pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    unset MAKEFLAGS MFLAGS MAKELEVEL
    options=
    [ "$4" = own ] || options=$(trimmed "$4")
    shift 4
    mkdir -p "$obj"
    cd "$obj"
    obj=$PWD
    # shellcheck disable=SC2086 # lists of words
    "$source/configure" --enable-liblpips $options ${CC:+--cc="$CC"} "$@" >configure.log 2>&1 || {
        tail -n 15 configure.log >&2
        die "configure failed; $obj/ffbuild/config.log says why"
    }
    # The program finds the library of this tree wherever the tree is moved to.  Written
    # here, for configure expands the dollar away.
    # shellcheck disable=SC2016
    echo 'LDEXEFLAGS += -Wl,-rpath,'"'"'$$ORIGIN/../lib'"'" >>ffbuild/config.mak
}

# The filter as it is now, into a tree that was patched with an earlier one.  Files that did
# not change keep their age.
copy_filter() { # TREE FILE...
    to=$1/libavfilter
    shift
    for file in "$@"; do
        name=$(basename "$file")
        case $name in *.c)
            grep -qw "${name%.c}\.o" "$to/Makefile" ||
                die "the patches do not know $file; run: make patches" ;;
        esac
        cmp -s "$file" "$to/$name" || cp "$file" "$to/"
    done
}

# Options and variables of the outer make are not meant for FFmpeg's.
make_tree() { # OBJ
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make -C "$1" -j"${JOBS:-$(nproc)}" ffmpeg ffprobe >"$1/make.log" 2>&1 || {
        grep -iE 'error|\*\*\*' "$1/make.log" | head -n 15 >&2
        die "building failed; all of it is in $1/make.log"
    }
    ! grep -A3 -E '(vf_lpips|lpips_[a-z0-9_]*)\.[ch]:.*warning' "$1/make.log" >&2 || {
        rm -f "$1"/libavfilter/vf_lpips.o "$1"/libavfilter/lpips_*.o # to be seen again
        die "the filter builds with warnings"
    }
}

step=$1
shift
case $step in
patch) patch_tree "$@" ;;
keep) keep_objects "$@" ;;
configure) configure_tree "$@" ;;
filter) copy_filter "$@" ;;
make) make_tree "$@" ;;
*) die "unknown step $step" ;;
esac
