package egrid

// Severity says what an audit finding does to a load.
type Severity string

// The severities.
const (
	Info    Severity = "info"    // worth knowing
	Warning Severity = "warning" // published, and told
	Hard    Severity = "error"   // physically impossible: the load is held
)

// Audit is what one rule found.
type Audit struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Count    int64    `json:"count"`    // rows, or groups of rows, that break the rule
	Examples []string `json:"examples"` // the first offenders: which row of which line, and its value
}
