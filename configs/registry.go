package configs

import "time"

// Registry says where the etcd is in which processes find each other and the central
// configuration. Its password is secret.
type Registry struct {
	URL       string        `yaml:"url"`
	User      string        `yaml:"user"`
	Password  string        `yaml:"password"`
	Prefix    string        `yaml:"prefix"`
	Lease     time.Duration `yaml:"lease"`
	Advertise string        `yaml:"advertise"`
}
