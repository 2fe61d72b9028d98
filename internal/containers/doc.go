// Package containers runs the containers of examples/reference, and cuts their
// network: make containers. Its tests have the build tag containers, because they
// need a Docker of their own, which internal/scripts/containers.sh starts them in.
package containers
