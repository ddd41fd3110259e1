"""Where callers that follow redirects get content: distribution's storage middleware."""
