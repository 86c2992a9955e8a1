const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (value: number): string => value.toString().padStart(2, "0");

/** The date as ctime and crash print it, always in UTC: `Fri Nov 20 21:14:03 UTC 2026`. */
export function formatDate(date: Date): string {
  const day = date.getUTCDate().toString().padStart(2, " ");
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} UTC ${date.getUTCFullYear()}`;
}

/** A duration as crash prints an uptime: `00:00:01`, `171 days, 21:25:01`. */
export function formatUptime(seconds: number): string {
  const whole = Math.floor(seconds);
  const days = Math.floor(whole / 86_400);
  const time = `${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return days === 0 ? time : `${days} day${days === 1 ? "" : "s"}, ${time}`;
}

/** A log record's time as printk prints it: seconds in five columns, then microseconds. */
export function formatTimestamp(nanoseconds: bigint): string {
  const seconds = (nanoseconds / 1_000_000_000n).toString().padStart(5, " ");
  return `${seconds}.${((nanoseconds / 1000n) % 1_000_000n).toString().padStart(6, "0")}`;
}
