/** Which functions may be critical points by what they are for: facts of the kernel's interfaces, from 6.1 on. */
import type { PointReturns } from "../plan-document.ts";

/**
 * Entry points of the VFS and the block layer in which a task may sleep, and whose callers expect an error. The kernel module has
 * the same list (kernel-module/points.c).
 */
export const KNOWN_POINTS: ReadonlyMap<string, PointReturns> = new Map<string, PointReturns>([
  ["vfs_read", "long"],
  ["vfs_write", "long"],
  ["vfs_iter_read", "long"],
  ["vfs_iter_write", "long"],
  ["kernel_read", "long"],
  ["kernel_write", "long"],
  ["iterate_dir", "int"],
  ["vfs_fsync_range", "int"],
  ["vfs_getattr", "int"],
  ["notify_change", "int"],
  ["do_filp_open", "pointer"],
  ["vfs_create", "int"],
  ["vfs_mkdir", "int"],
  ["vfs_unlink", "int"],
  ["vfs_rename", "int"],
  ["vfs_statfs", "int"],
  ["submit_bio_noacct", "bio"],
]);

/**
 * Members of operations tables that are called where sleeping is allowed, and whose error goes back to whoever asked
 * (Documentation/filesystems/{vfs,locking}.rst). Not among them, though they return int: those that RCU walk calls without
 * sleeping (permission, get_link, d_revalidate), and those whose result is thrown away (release, flush of a dying task).
 */
const FAILING_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  [
    "file_operations",
    [
      ..."llseek read write read_iter write_iter iterate iterate_shared unlocked_ioctl compat_ioctl mmap open".split(
        " ",
      ),
      ..."fsync splice_read splice_write fallocate copy_file_range remap_file_range uring_cmd".split(" "),
    ],
  ],
  [
    "inode_operations",
    [
      ..."lookup create link unlink symlink mkdir rmdir mknod rename setattr getattr listxattr fiemap".split(" "),
      ..."atomic_open tmpfile set_acl fileattr_set fileattr_get readlink".split(" "),
    ],
  ],
  ["address_space_operations", "writepage read_folio writepages write_begin write_end direct_IO".split(" ")],
  ["super_operations", "write_inode sync_fs freeze_fs unfreeze_fs statfs remount_fs".split(" ")],
  ["block_device_operations", ["open", "ioctl", "compat_ioctl"]],
  ["proc_ops", "proc_open proc_read proc_read_iter proc_write proc_ioctl proc_mmap".split(" ")],
  ["proto_ops", "bind connect accept getname ioctl listen setsockopt getsockopt sendmsg recvmsg mmap".split(" ")],
  ["kernfs_ops", ["open", "seq_show", "read", "write", "mmap"]],
]);

/** True for the label of a typed set whose members may sleep and fail; of one that several slots share, where all may. */
export function mayFail(label: string): boolean {
  return label.split(" | ").every((part) => {
    const [struct, member] = part.split(".");
    return struct !== undefined && member !== undefined && FAILING_MEMBERS.get(struct)?.includes(member) === true;
  });
}

/** Functions that sleep, or that ask to be called where that is allowed. */
export const SLEEPERS = [
  "schedule",
  "schedule_timeout",
  "preempt_schedule_common",
  "__cond_resched",
  "__might_sleep",
  "__might_resched",
  "mutex_lock",
  "mutex_lock_interruptible",
  "mutex_lock_killable",
  "down_read",
  "down_write",
  "down_read_killable",
  "down_write_killable",
  "wait_for_completion",
  "io_schedule",
] as const;
