"""A plain FastAPI and SQLAlchemy application: what a good engineer writes who needs these two routes and no more."""
