"""Operations that only networks use, each with its derivative beside it."""
