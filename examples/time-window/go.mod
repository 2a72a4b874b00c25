module time-window

go 1.26

require bellwether v0.0.0

replace bellwether => ../../sdk/go/bellwether
