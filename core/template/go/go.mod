module provider-example

go 1.19
