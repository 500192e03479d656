// Package deploy holds no code: beside it are the files with which fanli is run by
// Docker, Kubernetes and systemd, and looked at by Prometheus and Grafana. Its tests
// hold them against what reads them, and against fanli.
package deploy
