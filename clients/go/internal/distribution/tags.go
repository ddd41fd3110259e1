package distribution

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Lists are requested in pages of tagsInPage tags. The size of a page in bytes and the number of pages are limited.
const (
	tagsInPage   = 1000
	maxTagsPage  = 1 << 20
	maxTagsPages = 10_000
)

// ListTags returns all tags of the repository in the registry's order.
func (c *Client) ListTags(ctx context.Context, repository string) ([]string, error) {
	tags := []string{}
	target := fmt.Sprintf("/v2/%s/tags/list?n=%d", repository, tagsInPage)
	for range maxTagsPages {
		resp, _, err := c.repeat(ctx, request{method: http.MethodGet, target: target})
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, refused(resp)
		}
		var page struct {
			Tags []string `json:"tags"`
		}
		err = json.NewDecoder(io.LimitReader(resp.Body, maxTagsPage)).Decode(&page)
		resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", target, err)
		}
		tags = append(tags, page.Tags...)
		if target, err = next(resp, target); err != nil || target == "" {
			return tags, err
		}
	}
	return nil, fmt.Errorf("GET %s: the list has more than %d pages", target, maxTagsPages)
}

// next returns the target of the next page, or "" (RFC 8288: <url>; rel="next").
func next(resp *http.Response, target string) (string, error) {
	link, found := strings.CutPrefix(resp.Header.Get("Link"), "<")
	if !found {
		return "", nil
	}
	link, _, found = strings.Cut(link, ">")
	if !found {
		return "", fmt.Errorf("GET %s: Link %q has no closing bracket", target, resp.Header.Get("Link"))
	}
	base, err := url.Parse(origin + target)
	if err != nil {
		return "", err
	}
	following, err := base.Parse(link)
	if err != nil {
		return "", fmt.Errorf("GET %s: Link: %w", target, err)
	}
	return following.RequestURI(), nil
}
