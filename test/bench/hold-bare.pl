# hold-bare.pl in-turn|at-once usual|hurried MOUNT...: FIFREEZE and FITHAW (linux/fs.h), and nothing else: what the kernel itself takes.
# hurried: with expedited RCU grace periods, as the keeper has them. at-once: a process for each mount, started before.
use strict;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my ($how, $pace, @mounts) = @ARGV;
my ($FREEZE, $THAW) = (0xC0045877, 0xC0045878);
my $zero = pack("i", 0);
my @fds = map { open(my $fd, "<", $_) or die "$_: $!"; $fd } @mounts;
my $knob = "/sys/kernel/rcu_expedited";
system "sync";
# Also after an interruption it is put back.
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
END { expedite($main::before) if defined $main::before }
our $before;
$before = expedite($pace eq "hurried" ? 1 : undef);
my ($began, $ended) = $how eq "at-once" ? at_once() : in_turn();
printf "%.0f\n%.0f\n", $began * 1e9, $ended * 1e9;

sub in_turn {
  my $began = clock_gettime(CLOCK_MONOTONIC);
  for my $fd (@fds) { ioctl($fd, $FREEZE, $zero) or die "freeze: $!" }
  for my $fd (@fds) { ioctl($fd, $THAW, $zero) or die "thaw: $!" }
  return ($began, clock_gettime(CLOCK_MONOTONIC));
}

sub at_once {
  pipe(my $answers, my $answer) or die $!;
  my @orders = map {
    my $fd = $_;
    pipe(my $in, my $out) or die $!;
    unless (fork // die $!) {
      close $out;
      for my $request ($FREEZE, $THAW) {
        exit unless sysread($in, my $go, 1);
        syswrite($answer, ioctl($fd, $request, $zero) ? "+" : "-");
      }
      # exec, so that perl does not tidy up while others are measured.
      exec "true";
    }
    close $in;
    $out;
  } @fds;
  my $all = sub {
    syswrite($_, "x") for @orders;
    for (@orders) { sysread($answers, my $done, 1); $done eq "+" or warn "an ioctl failed" }
  };
  my $began = clock_gettime(CLOCK_MONOTONIC);
  $all->() for 1, 2;
  my $ended = clock_gettime(CLOCK_MONOTONIC);
  1 while wait != -1;
  return ($began, $ended);
}

# Sets it, and answers what it was; undef: it is not touched.
sub expedite {
  my ($value) = @_;
  return undef unless defined $value && open(my $file, "+<", $knob);
  my $was = <$file>;
  seek($file, 0, 0);
  syswrite($file, $value);
  return $was + 0;
}
