"""The webhooks as the API server knows them: what it asks about, and by which certificate."""
