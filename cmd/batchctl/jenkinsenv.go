package main

import (
	"errors"
	"os"

	"github.com/batchctl/batchctl/jenkins"
)

// jenkinsOfEnvironment returns a client of the Jenkins that the environment
// names, and unset where it names none.
func jenkinsOfEnvironment(unset error) (*jenkins.Client, error) {
	url, user, token := os.Getenv("JENKINS_URL"), os.Getenv("JENKINS_USER"), os.Getenv("JENKINS_TOKEN")
	switch {
	case url == "":
		return nil, unset
	case user == "" && token != "":
		return nil, errors.New("JENKINS_TOKEN is set and JENKINS_USER is not: whose token is it?")
	case user != "" && token == "":
		return nil, errors.New("JENKINS_USER is set and JENKINS_TOKEN is not: make a token on the user's Security page in Jenkins")
	}
	return jenkins.New(jenkins.Config{URL: url, User: user, Token: token})
}
