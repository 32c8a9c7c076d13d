// Follows the server's stream and comes back after every interruption.

const SILENCE_MS = 16_000;
const RETRY_MS = 2_000;

// `to`: what is called with each message (picture, change, outage, beat), with the state of the connection, and after
// each. Returns what stops it.
export function follow(team, to) {
  let source = null;
  let watch = 0;
  let retry = 0;

  const heard = () => {
    clearTimeout(watch);
    // The server beats every 5 s: a connection that is silent for longer is dead, whatever the browser believes.
    watch = setTimeout(reopen, SILENCE_MS);
  };

  const reopen = () => {
    clearTimeout(watch);
    source.close();
    to.connection(false);
    to.told();
    retry = setTimeout(open, RETRY_MS);
  };

  const open = () => {
    source = new EventSource(`/api/stream${team ? `?team=${encodeURIComponent(team)}` : ""}`);
    source.onerror = reopen;
    for (const name of ["picture", "change", "outage", "beat"]) {
      source.addEventListener(name, (event) => {
        heard();
        to.connection(true);
        to[name](JSON.parse(event.data));
        to.told();
      });
    }
    heard();
  };

  open();
  return () => {
    clearTimeout(watch);
    clearTimeout(retry);
    source.close();
  };
}
