;; Answers everything Go's runtime asks of WASI preview 1 inside the component, so that a plugin imports nothing of WASI and
;; a call can be repeated: there are no files, no arguments and no environment; randomness is seeded with a constant; time
;; begins at 1970, moves a microsecond each time it is asked for and by as much as is slept.
;;
;; It must not call outside: Go's scheduler asks for the time also while the host passes values in, where leaving the
;; component is forbidden. So written text goes nowhere: messages go through bellwether:host/log. It is not refused either, for
;; Go's runtime would report that by writing.
(module
  (import "env" "memory" (memory 0))

  (global $now (mut i64) (i64.const 0))
  (global $seed (mut i64) (i64.const 42))

  ;; Nothing there: counts of zero.
  (func $sizes (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (func $fill (param i32 i32) (result i32) (i32.const 0))
  (export "args_sizes_get" (func $sizes))
  (export "environ_sizes_get" (func $sizes))
  (export "args_get" (func $fill))
  (export "environ_get" (func $fill))

  (func (export "clock_res_get") (param $clock i32) (param $at i32) (result i32)
    (i64.store (local.get $at) (i64.const 1000))
    (i32.const 0))
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $at i32) (result i32)
    (global.set $now (i64.add (global.get $now) (i64.const 1000)))
    (i64.store (local.get $at) (global.get $now))
    (i32.const 0))

  ;; Sleeping: the first subscription is a clock's (tag 0 at byte 8), its time-out is at byte 24, absolute when bit 0 of the
  ;; flags at byte 40 is set. Time moves there and one event tells of it. Waiting for anything else would never end.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (local $until i64)
    (if (i32.or (i32.eqz (local.get $count)) (i32.load8_u offset=8 (local.get $in)))
      (then (return (i32.const 52))))
    (local.set $until (i64.load offset=24 (local.get $in)))
    (if (i32.eqz (i32.and (i32.load16_u offset=40 (local.get $in)) (i32.const 1)))
      (then (local.set $until (i64.add (global.get $now) (local.get $until)))))
    (if (i64.gt_u (local.get $until) (global.get $now))
      (then (global.set $now (local.get $until))))
    (memory.fill (local.get $out) (i32.const 0) (i32.const 32))
    (i64.store (local.get $out) (i64.load (local.get $in)))
    (i32.store (local.get $events) (i32.const 1))
    (i32.const 0))
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; SplitMix64 (Steele, Lea and Flood 2014), the low byte of each number.
  (func (export "random_get") (param $at i32) (param $length i32) (result i32)
    (local $mixed i64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (global.set $seed (i64.add (global.get $seed) (i64.const 0x9E3779B97F4A7C15)))
        (local.set $mixed (global.get $seed))
        (local.set $mixed (i64.mul
          (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 30)))
          (i64.const 0xBF58476D1CE4E5B9)))
        (local.set $mixed (i64.mul
          (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 27)))
          (i64.const 0x94D049BB133111EB)))
        (i64.store8 (local.get $at)
          (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 31))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; Takes all that is written, the lengths of `count` pairs of address and length, and forgets it.
  (func (export "fd_write") (param $file i32) (param $pairs i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $pairs))))
        (local.set $pairs (i32.add (local.get $pairs) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; The end of the program, which is never the end of a call: a fatal error of Go's runtime. It becomes a trap.
  (func (export "proc_exit") (param i32) (unreachable))
  (func (export "proc_raise") (param i32) (result i32) (unreachable))

  ;; No file is open (EBADF = 8) and none can be.
  (func $bad-a (param i32) (result i32) (i32.const 8))
  (func $bad-b (param i32 i32) (result i32) (i32.const 8))
  (func $bad-c (param i32 i32 i32) (result i32) (i32.const 8))
  (func $bad-d (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $bad-e (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $bad-f (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func $bad-g (param i32 i64) (result i32) (i32.const 8))
  (func $bad-h (param i32 i64 i64) (result i32) (i32.const 8))
  (func $bad-i (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func $bad-j (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func $bad-k (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  (export "fd_close" (func $bad-a))
  (export "fd_datasync" (func $bad-a))
  (export "fd_sync" (func $bad-a))
  (export "fd_fdstat_get" (func $bad-b))
  (export "fd_fdstat_set_flags" (func $bad-b))
  (export "fd_filestat_get" (func $bad-b))
  (export "fd_prestat_get" (func $bad-b))
  (export "fd_renumber" (func $bad-b))
  (export "fd_tell" (func $bad-b))
  (export "sock_shutdown" (func $bad-b))
  (export "fd_prestat_dir_name" (func $bad-c))
  (export "path_create_directory" (func $bad-c))
  (export "path_remove_directory" (func $bad-c))
  (export "path_unlink_file" (func $bad-c))
  (export "sock_accept" (func $bad-c))
  (export "fd_read" (func $bad-d))
  (export "path_filestat_get" (func $bad-e))
  (export "path_symlink" (func $bad-e))
  (export "sock_send" (func $bad-e))
  (export "path_readlink" (func $bad-f))
  (export "path_rename" (func $bad-f))
  (export "sock_recv" (func $bad-f))
  (export "fd_filestat_set_size" (func $bad-g))
  (export "fd_allocate" (func $bad-h))
  (export "fd_fdstat_set_rights" (func $bad-h))
  (export "fd_advise" (func $bad-i))
  (export "fd_filestat_set_times" (func $bad-i))
  (export "fd_seek" (func $bad-j))
  (export "fd_pread" (func $bad-k))
  (export "fd_pwrite" (func $bad-k))
  (export "fd_readdir" (func $bad-k))
)
