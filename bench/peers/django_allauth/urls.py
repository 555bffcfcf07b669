"""The one address of ours, beside allauth's own."""

from django.http import JsonResponse
from django.urls import include, path


def who(request):
    user = request.user
    if not user.is_authenticated:
        return JsonResponse({"detail": "not signed in"}, status=401)
    return JsonResponse({"id": user.pk, "email": user.email, "name": user.first_name})


urlpatterns = [path("session", who), path("accounts/", include("allauth.urls"))]
