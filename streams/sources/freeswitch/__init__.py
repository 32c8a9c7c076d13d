"""FreeSWITCH: mod_callcenter, followed by its event socket."""
