/** What objects are chained by (include/linux/types.h, llist.h, rbtree_types.h, list_nulls.h, plist.h, timerqueue.h). */
export const LINKS: ReadonlySet<string> = new Set([
  "list_head",
  "hlist_node",
  "hlist_bl_node",
  "hlist_nulls_node",
  "llist_node",
  "rb_node",
  "plist_node",
  "timerqueue_node",
  "callback_head",
]);
