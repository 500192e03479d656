package configs

import (
	"time"

	"github.com/robfig/cron/v3"

	"fanli/adapters/grouprobot"
	"fanli/core/desk"
)

// Staff says how staff are known and told. Who is staff is in the database: see
// `fanli staff`. The robot's address is secret.
type Staff struct {
	Owner    string        `yaml:"owner"`
	Language string        `yaml:"language"`
	Pause    time.Duration `yaml:"pause"`
	Report   string        `yaml:"report"`
	Robot    StaffRobot    `yaml:"robot"`
}

// A StaffRobot only speaks.
type StaffRobot struct {
	URL string `yaml:"url"`
}

// Bounds of how often what lasts is told.
const (
	staffPauseMin = time.Minute
	staffPauseMax = 7 * 24 * time.Hour
)

func (c Config) checkStaff(k *checker) {
	s := c.Staff
	if s.Owner != "" {
		if _, err := desk.ParseIdentity(s.Owner); err != nil {
			k.bad("staff.owner", "%q is not a channel and a number, like telegram:12345", s.Owner)
		}
	}
	if s.Language != "zh" && s.Language != "en" {
		k.bad("staff.language", "%q is not zh or en", s.Language)
	}
	if s.Pause < staffPauseMin || s.Pause > staffPauseMax {
		k.bad("staff.pause", "%v is not between %v and %v", s.Pause, staffPauseMin, staffPauseMax)
	}
	if s.Report != "" {
		if _, err := cron.ParseStandard(s.Report); err != nil {
			k.bad("staff.report", "%q is not a line of cron, like 0 9 * * *", s.Report)
		}
	}
	if s.Robot.URL != "" && grouprobot.CheckURL(s.Robot.URL) != nil {
		k.bad("staff.robot.url", "it is not the address of a group robot, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…")
	}
}
