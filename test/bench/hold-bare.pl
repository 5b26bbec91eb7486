# FIFREEZE and FITHAW, linux/fs.h, and nothing else: what the kernel itself takes, in turn.
use strict;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my @mounts = map { open(my $fd, "<", $_) or die "$_: $!"; $fd } @ARGV;
my $zero = pack("i", 0);
my $began = clock_gettime(CLOCK_MONOTONIC);
for my $fd (@mounts) { ioctl($fd, 0xC0045877, $zero) or die "freeze: $!" }
for my $fd (@mounts) { ioctl($fd, 0xC0045878, $zero) or die "thaw: $!" }
printf "%.0f\n%.0f\n", $began * 1e9, clock_gettime(CLOCK_MONOTONIC) * 1e9;
