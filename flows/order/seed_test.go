package order_test

import "flag"

// Random stories are the same ones each time that all tests run, so that what fails was not there before the change
// that is tested. make models draws others.
func init() {
	if err := flag.Set("rapid.seed", "1"); err != nil {
		panic(err)
	}
}
