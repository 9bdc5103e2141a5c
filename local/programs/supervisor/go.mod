module bluegreen/local/supervisor

go 1.26.0
