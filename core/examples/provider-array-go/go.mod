module provider-array-go

go 1.19
