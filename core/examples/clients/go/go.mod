module holdstill.invalid/backup

go 1.19
