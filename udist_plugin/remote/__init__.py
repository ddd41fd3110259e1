"""A registry's verbs over HTTP, on any transport that can exchange a request for a response."""
