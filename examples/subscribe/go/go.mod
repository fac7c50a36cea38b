module binnacle.dev/examples/subscribe

go 1.22
