package middleware

import (
	"net/url"
	"strings"
)

// secretParameters are names under which credentials stand in URLs by mistake:
// there is no such parameter here.
var secretParameters = map[string]bool{
	"access_token": true, "token": true, "id_token": true, "jwt": true, "api_key": true, "apikey": true, "api-key": true, "x-api-key": true,
	"key": true, "secret": true, "client_secret": true, "password": true, "authorization": true,
}

// maxLoggedQuery bounds what a log line has of a query.
const maxLoggedQuery = 2048

// loggable is a query string without what may be a credential.
func loggable(query string) string {
	if strings.IndexByte(query, '=') >= 0 {
		query = hideSecrets(query)
	}
	if len(query) > maxLoggedQuery {
		query = query[:maxLoggedQuery] + "..."
	}
	return query
}

func hideSecrets(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil || secretParameters[strings.ToLower(plain)] {
			pairs[i] = name + "=-"
		}
	}
	return strings.Join(pairs, "&")
}
