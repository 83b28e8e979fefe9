import { useEffect, useState } from "react";

/** The day: changes at midnight, so that yesterday's chats move under their heading. */
export function useToday(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
    // A computer that slept is late by hours; a minute's step notices soon after it wakes.
    const timer = setInterval(() => Date.now() >= midnight.getTime() && setNow(new Date()), 60_000);
    return () => clearInterval(timer);
  }, [now]);
  return now;
}
