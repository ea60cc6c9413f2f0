"""What every room may use and which knows no room: errors, ids, money, time, database, encryption."""
