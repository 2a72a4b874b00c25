module bellwethertests

go 1.26

require bellwether v0.0.0

replace bellwether => ../bellwether
