// Package core holds no code. Its subpackages are the business, each named
// after what it does, and this comment is the map.
//
//	fault            how something did not work
//	money            fen and basis points
//	event            how parts tell each other what has happened
//	cache            what may be forgotten at any moment
//	lock             who of several may do something
//	registry         which processes run what, and where
//	endpoint         which addresses may be called with our keys
//	audit            what staff have done, for ever
//	access           who may ask from outside, and for what
//	control          what staff can stop at once
//	ladder           what is left out while something is away
//	market           a model of the outside world, for fakes and tests
//	user             who the people are
//	alike            whether two titles name the same goods
//	post             what people send us and are sent, until it is seen to
//	link             what people paste, and the links they get back
//	order            what the networks say was bought, and whose it is
//	ledger           who owes whom how much, and why
//	rebate           how much of a commission becomes a user's
//	credit           how a rebate is entered in the ledger
//	withdraw         how a balance leaves us
//	collect          how people pay us
//	proof            whether the books are right
//	reconcile        what others' books say, held against ours
//	notify           what users are told
//	webhook          what integrators' programs are told
//	desk             what staff ask for and do
//	logtest          nothing secret or personal in what tests log
//	servertest       real databases, brokers and registries for tests
//	servicetest      the promises of all services, as tests
//	storetest        the promises of all stores, as tests
//
// A package imports only packages on lines above its own, and nothing but them
// and the standard library. What must flow upwards flows as an event. The test
// in this folder keeps both promises.
package core
