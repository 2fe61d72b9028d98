package calc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Input is a figure that a formula names.
type Input struct {
	Value  float64     // in Unit
	Unit   string      // as MWh or short tons; empty for a number without a unit
	Level  egrid.Level // of the sheet that it was read from
	Code   string      // of the region; empty for the US and for sums over plants
	Column egrid.Column
	Of     string // which plants were summed, and how; empty for a cell of a sheet
}

// Evaluate computes a formula: names of inputs, numbers, + - * / and parentheses,
// with the usual precedence. Every factor, explanation and recomputed figure comes
// with one, so that anybody can do the sum again. It returns [egrid.ErrInvalid]
// for what it cannot read, for a name without an input, and for a division by 0.
func Evaluate(formula string, inputs map[string]Input) (float64, error) {
	p := parser{rest: formula, inputs: inputs}
	x, err := p.sum()
	if err == nil && p.next() != 0 {
		err = fmt.Errorf("%w: formula %q goes on behind its end at %q", egrid.ErrInvalid, formula, p.rest)
	}
	return x, err
}

type parser struct {
	rest   string
	inputs map[string]Input
	depth  int
}

// maxDepth bounds the parentheses of a formula.
const maxDepth = 100

// next returns the next sign, 0 at the end.
func (p *parser) next() byte {
	p.rest = strings.TrimLeft(p.rest, " ")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *parser) sum() (float64, error) {
	x, err := p.product()
	for err == nil && (p.next() == '+' || p.next() == '-') {
		sign := p.rest[0]
		p.rest = p.rest[1:]
		var y float64
		if y, err = p.product(); sign == '-' {
			y = -y
		}
		x += y
	}
	return x, err
}

func (p *parser) product() (float64, error) {
	x, err := p.operand()
	for err == nil && (p.next() == '*' || p.next() == '/') {
		sign := p.rest[0]
		p.rest = p.rest[1:]
		var y float64
		switch y, err = p.operand(); {
		case err != nil:
		case sign == '*':
			x *= y
		case y == 0:
			err = fmt.Errorf("%w: the formula divides by 0", egrid.ErrInvalid)
		default:
			x /= y
		}
	}
	return x, err
}

func (p *parser) operand() (float64, error) {
	switch c := p.next(); {
	case c == '(':
		if p.depth++; p.depth > maxDepth {
			return 0, fmt.Errorf("%w: the formula has more than %d parentheses in each other", egrid.ErrInvalid, maxDepth)
		}
		p.rest = p.rest[1:]
		x, err := p.sum()
		if err == nil && p.next() != ')' {
			return 0, fmt.Errorf("%w: a parenthesis of the formula is not closed before %q", egrid.ErrInvalid, p.rest)
		}
		if err == nil {
			p.rest = p.rest[1:]
			p.depth--
		}
		return x, err
	case c >= '0' && c <= '9' || c == '.':
		word := p.word("0123456789.")
		x, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return 0, fmt.Errorf("%w: %q in the formula is no number", egrid.ErrInvalid, word)
		}
		return x, nil
	case c >= 'a' && c <= 'z':
		name := p.word("abcdefghijklmnopqrstuvwxyz0123456789_")
		in, ok := p.inputs[name]
		if !ok {
			return 0, fmt.Errorf("%w: the formula names %s, which is no input", egrid.ErrInvalid, name)
		}
		return in.Value, nil
	}
	return 0, fmt.Errorf("%w: the formula has no figure at %q", egrid.ErrInvalid, p.rest)
}

// word takes what consists of some letters off the front.
func (p *parser) word(letters string) string {
	word := p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest, letters))]
	p.rest = p.rest[len(word):]
	return word
}
