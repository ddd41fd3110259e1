"""Files by which the tools of a command know the gateway, beside what the user's own files say."""
