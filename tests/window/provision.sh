#!/bin/bash
# Put a Blender 5.2 with a real window into a folder of its own: Debian sid's, about two minutes and 2 GB, needs root.
# On the host only the tools of the first line are installed.
set -eu
ROOT=$1
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends debootstrap xvfb imagemagick ffmpeg >/dev/null
[ -x "$ROOT/usr/bin/dpkg" ] || debootstrap --variant=minbase sid "$ROOT" >/dev/null
cp /etc/resolv.conf /etc/hosts "$ROOT/etc/"
mountpoint -q "$ROOT/proc" || mount -t proc proc "$ROOT/proc"
mountpoint -q "$ROOT/dev" || mount --bind /dev "$ROOT/dev"
chroot "$ROOT" apt-get -o Acquire::Check-Valid-Until=false update -qq   # a mirror may lag behind sid
chroot "$ROOT" apt-get install -y -qq --no-install-recommends blender libgl1 libglx-mesa0 libegl1 libgl1-mesa-dri \
  libegl-mesa0 libx11-xcb1 fonts-dejavu python3-numpy python3-cattr python3-requests python3-zstandard python3-scipy >/dev/null
# What the extension's zip brings for Blender's own Python, for the Python of Debian's Blender.
PY=$(chroot "$ROOT" python3 -c 'import sys; print("%d%d" % sys.version_info[:2])')
python3 -m pip install -q --no-deps --only-binary=:all: --implementation cp --python-version "$PY" --abi "cp$PY" --abi abi3 \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 \
  --target "$ROOT/opt/site" --upgrade onnxruntime==1.32.0 opencv-python-headless==5.0.0.93
chroot "$ROOT" blender --version | head -1
